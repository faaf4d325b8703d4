"""A technician's own conflicts: what their edits met with, in words, and how they let another value stand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from schemas.entities import COLLECTIONS
from schemas.entities.base import iso
from server.actions.drafts import Drafts
from server.store import documents
from server.store.models import Conflict
from server.store.queries import conflicts as rows
from server.text import LOCALES, say
from sync.change import Json, Mutation, same
from sync.merge import ENTRY_POLICIES

KEPT = timedelta(days=90)
"""How far back a tablet is told of conflicts."""

PEOPLE = ("assignee_id", "performed_by_id", "events")
"""Fields whose values in a conflict are technicians."""

Item = dict[str, Any]


def own_conflicts(company_id: str, technician_id: str, device_id: str, *, now: datetime, most: int) -> list[Item]:
    """The newest `most` conflicts of a technician, as their tablet shows them.

    What others wrote in a document after it had left the tablet is not told.
    """
    found = rows.of_technician(company_id, technician_id, now - KEPT, most)
    bodies = rows.bodies(company_id, {one.document_id for one in found})
    users = rows.user_names(company_id, {one.resolved_by for one in found if one.resolved_by})
    sites = rows.site_names(
        company_id, {str(bodies.get(one.document_id, ("", {}))[1].get("site_id") or one.document_id) for one in found}
    )
    named = {
        side
        for one in found
        if one.field in PEOPLE
        for side in (one.base, one.mine, one.theirs)
        if isinstance(side, str)
    }
    names = rows.technician_names(company_id, named)
    reached = documents.reach_all(company_id, device_id, {one.document_id for one in found})
    return [_item(one, reached, bodies.get(one.document_id, ("", {}))[1], sites, users, names) for one in found]


def _item(
    one: Conflict,
    reached: dict[str, str],
    body: dict[str, Any],
    sites: dict[str, str],
    users: dict[str, str],
    names: dict[str, str],
) -> Item:
    hidden = is_late(one)

    def said(value: Json) -> Json:
        return names.get(value, value) if one.field in PEOPLE and isinstance(value, str) else value

    return {
        "id": one.id,
        "kind": one.kind,
        "class": one.clash_class,
        "collection": one.collection,
        "document_id": one.document_id,
        "title": sites.get(str(body.get("site_id") or one.document_id)) or COLLECTIONS[one.collection].called(body),
        "field": one.field,
        "base": said(one.base),
        "mine": said(one.mine),
        "theirs": None if hidden else said(one.theirs),
        "chosen": one.chosen,
        "because": _because(one),
        "mine_at": _iso(one.mine_at_corrected or one.mine_at),
        "theirs_by": None if hidden else one.theirs_by,
        "theirs_at": None if hidden else _iso(one.theirs_at),
        "created_at": iso(one.created_at),
        "state": one.state,
        "resolved": {
            "choice": (one.resolution or {}).get("choice"),
            "by": users.get(one.resolved_by or ""),
            "at": _iso(one.resolved_at),
        }
        if one.state == "resolved"
        else None,
        "may_restore": _may_restore(one) and reached.get(one.document_id) == "live",
    }


def _because(one: Conflict) -> dict[str, str]:
    """Why the rule decided so, in every language: the tablet's reader may change it without a network."""
    reason = one.reason or {"code": one.policy, "params": {}}
    return {locale: say("conflict", reason["code"], reason.get("params", {}), locale) for locale in LOCALES}


def is_late(conflict: Conflict) -> bool:
    """Whether the document had left the tablet: then what others wrote in it since is not for the tablet to read."""
    return bool(conflict.reason and conflict.reason["params"].get("late"))


def _may_restore(one: Conflict) -> bool:
    """Whether a tablet may let either value stand: it is a value, and theirs to write."""
    rule = COLLECTIONS[one.collection].rules.get(one.field)
    return (
        rule is not None
        and one.kind == "value"
        and rule.owner in ("field", "shared")
        and rule.policy not in ENTRY_POLICIES
        and not is_late(one)
    )


def settle_by_edit(mutation: Mutation, push: Drafts) -> None:
    """Note that a technician has settled one of their conflicts by an ordinary edit of its field.

    What names another's conflict, another field, or one that the office has settled, is an edit and nothing more.
    """
    sender = push.sender
    conflict = rows.lock(sender.company_id, str(mutation.resolves))
    if conflict is None or conflict.document_id != mutation.document_id or conflict.field not in mutation.set:
        return
    if not _may_restore(conflict) or not rows.is_of_technician(sender.company_id, conflict.id, sender.technician_id):
        return
    if conflict.state == "resolved" and conflict.resolved_by != sender.user_id:
        return
    stands = push.drafts[mutation.document_id].body.get(conflict.field)
    if not same(stands, mutation.set[conflict.field]):
        return
    before = conflict.resolution["before"] if conflict.resolution else conflict.value
    resolution = {
        "choice": "mine" if same(stands, conflict.mine) else "theirs" if same(stands, conflict.theirs) else "value",
        "value": stands,
        "before": before,
        "written": True,
        "changed": {conflict.field: [before, stands]},
        "was": conflict.resolution["was"] if conflict.resolution else conflict.state,
    }
    push.revise(conflict, state="resolved", resolution=resolution, resolved_by=sender.user_id, resolved_at=push.now)


def _iso(moment: datetime | None) -> str | None:
    return iso(moment) if moment is not None else None
