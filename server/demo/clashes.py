"""A few clashes that really happened: the office changed something, a tablet that had not heard of it sent its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from schemas.entities.base import iso
from server.actions.apply_mutation import Sender
from server.actions.contact import Contact
from server.actions.edit_document import edit_document
from server.actions.push_changes import push_changes
from server.demo.chance import Chance
from server.demo.world import Branch, Technician, World
from server.extensions import db
from server.store import documents
from server.store.author import Author, acting
from server.store.models import Visit
from server.store.queries import planning


@dataclass(frozen=True, kw_only=True)
class Held:
    """A visit that stands on a technician's tablet, with the versions that the tablet knows."""

    technician: Technician
    visit_id: str
    visit_version: int
    site_id: str
    site_version: int
    service_minutes: int
    planned_end: datetime


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where a story plays: who is at the office, what is written, and when it is."""

    world: World
    branch: Branch
    office: Author
    words: dict[str, Any]
    chance: Chance

    def edit(self, collection: str, document_id: str, values: dict[str, Any]) -> None:
        """The office changes a document."""
        with acting(self.office):
            edit_document(self.world.company_id, collection, document_id, values, now=self.world.now)

    def push(self, technician: Technician, mutations: list[dict[str, Any]]) -> int:
        """The tablet sends what it has; returns how many clashes that made."""
        assert technician.device_id is not None
        sender = Sender(
            company_id=self.world.company_id,
            device_id=technician.device_id,
            technician_id=technician.id,
            name=technician.name,
            user_id=technician.user_id,
        )
        numbered = [{"n": n} | mutation for n, mutation in enumerate(mutations, start=1)]
        now, locale = self.world.now, self.branch.locale
        contact = Contact(device_time=now, rtt_ms=240.0)
        pushed = push_changes(sender, numbered, contact=contact, now=now, locale=locale)
        return sum(len(result["conflicts"]) for result in pushed.results)

    def mutation(
        self, collection: str, document_id: str, base: int, minutes_ago: int, **values: dict[str, Any]
    ) -> dict[str, Any]:
        """An update that was made on the tablet some minutes ago."""
        made_at = self.world.now - timedelta(minutes=minutes_ago)
        return {
            "id": self.chance.id(made_at),
            "collection": collection,
            "document_id": document_id,
            "op": "update",
            "base_version": base,
            "made_at": iso(made_at),
            **values,
        }


def make_clashes(world: World, office: Author) -> int:
    """Let some tablets of each branch send what they have; returns how many clashes were recorded."""
    found = 0
    for branch in world.branches:
        chance = Chance(world.seed, f"clashes/{branch.key}")
        scene = Scene(world=world, branch=branch, office=office, words=branch.words["clash"], chance=chance)
        tomorrow = _held(world, branch, 1)
        for story, held in zip(STORIES, tomorrow.values(), strict=False):
            found += story(scene, held[0])
        found += _done_after_reassignment(scene, _held(world, branch, 0))
    return found


def _held(world: World, branch: Branch, offset: int) -> dict[str, list[Held]]:
    """Published visits of a day by technician, in the order of their hours; only what was not begun."""
    day = branch.today + timedelta(days=offset)
    first, last = branch.at(day, time()), branch.at(day + timedelta(days=1), time())
    people = {one.id: one for one in branch.technicians if one.device_id}
    found: dict[str, list[Held]] = defaultdict(list)
    for visit, site, _ in planning.board_visits(world.company_id, branch.id, first, last):
        if visit.plan_state == "published" and visit.assignee_id in people and visit.exec_state == "not_started":
            found[visit.assignee_id].append(
                Held(
                    technician=people[visit.assignee_id],
                    visit_id=visit.id,
                    visit_version=_version(visit),
                    site_id=site.id,
                    site_version=1,
                    service_minutes=visit.service_minutes,
                    planned_end=visit.planned_end or last,
                )
            )
    db.session.rollback()
    return found


def _version(visit: Visit) -> int:
    stored = documents.stored(visit.company_id, visit.id)
    assert stored is not None
    return stored[1].version


def _access(scene: Scene, held: Held) -> int:
    """Both wrote how to get in."""
    scene.edit("site", held.site_id, {"access_note": scene.words["access_office"]})
    mine = {"access_note": scene.words["access_technician"]}
    return scene.push(held.technician, [scene.mutation("site", held.site_id, held.site_version, 55, set=mine)])


def _more_time(scene: Scene, held: Held) -> int:
    """The technician asks for more time, which is the office's to give."""
    mine = {"service_minutes": held.service_minutes + 45}
    return scene.push(held.technician, [scene.mutation("visit", held.visit_id, held.visit_version, 35, set=mine)])


def _phone(scene: Scene, held: Held) -> int:
    """Both wrote whom to call."""
    scene.edit("site", held.site_id, {"contact_phone": scene.words["phone_office"]})
    mine = {"contact_phone": scene.words["phone_technician"]}
    return scene.push(held.technician, [scene.mutation("site", held.site_id, held.site_version, 80, set=mine)])


STORIES: tuple[Callable[[Scene, Held], int], ...] = (_access, _more_time, _phone)


def _done_after_reassignment(scene: Scene, today: dict[str, list[Held]]) -> int:
    """A quiet tablet comes back with work done on a visit that the office had given to somebody else meanwhile."""
    quiet = [held for visits in today.values() for held in visits[:1] if held.technician.quiet]
    other = next((visits[0].technician for visits in today.values() if not visits[0].technician.quiet), None)
    for held in quiet:
        if other is None or held.planned_end > scene.world.now:
            continue
        scene.edit("visit", held.visit_id, {"assignee_id": other.id})
        end = scene.world.now - timedelta(minutes=6)
        begin = end - timedelta(minutes=held.service_minutes)
        steps = [("en_route", begin - timedelta(minutes=20)), ("arrived", begin - timedelta(minutes=3)),
                 ("started", begin), ("done", end)]  # fmt: skip
        events = [{"id": scene.chance.id(at), "type": kind, "at": iso(at)} for kind, at in steps]
        mine = scene.mutation("visit", held.visit_id, held.visit_version, 6, add={"events": events})
        return scene.push(held.technician, [mine])
    return 0
