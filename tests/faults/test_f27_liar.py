"""F27: a tablet that lies. It reads and changes nothing of others; what it may write is under its own name. S-16"""

from __future__ import annotations

import os
import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask

from schemas.entities.base import iso
from server.extensions import db
from server.store import documents
from server.store.models import Site, Visit
from tests import pictures, uploads
from tests.builders import SmallCompany, change, publish
from tests.faults.wholeness import unwhole
from tests.tablets import Tablet, enrol

MOVES = int(os.environ.get("ROUNDS_TEST_LIES", "400"))
AT_ONCE = 8
CANARY = "canary-7f3a"


class Liar:
    """Anna's token in wrong hands; it knows the ids of all that is Boris's, as if it had guessed them."""

    def __init__(self, tablet: Tablet, own: str, foreign: dict[str, list[str]], known: list[str], seed: int) -> None:
        self.tablet, self.own, self.foreign, self.known = tablet, own, foreign, known
        self.dice = random.Random(seed)
        self.n = 0
        self.spelt: list[str] = []

    def mutation(self) -> dict[str, Any]:
        """One lie, in a mutation."""
        self.n += 1
        visit, site, asset = (self.dice.choice(self.foreign[kind]) for kind in ("visit", "site", "asset"))
        now = iso(datetime.now(UTC))
        entry = {"id": str(uuid.uuid4()), "at": now}
        base: dict[str, Any] = {
            "id": str(uuid.uuid4()), "n": self.n, "collection": "visit", "document_id": self.own, "op": "update",
            "base_version": self.dice.choice((None, 0, 1, 2**31 - 1)), "set": {}, "add": {}, "remove": {},
            "made_at": now, "group": None,
        }  # fmt: skip
        forged = entry | {"text": "forged", "by": str(uuid.uuid4()), "by_name": "Boris", "device_id": str(uuid.uuid4())}
        lies: list[dict[str, Any]] = [
            {"document_id": visit, "set": {"work_summary": "lie"}},
            {"document_id": visit, "add": {"events": [entry | {"type": "started"}]}},
            {"document_id": visit, "op": "create", "set": {"site_id": site, "kind": "repair_minor"}},
            {"document_id": site, "collection": "site", "set": {"access_note": "lie"}},
            {"document_id": asset, "collection": "asset", "set": {"position": "lie"}},
            {"document_id": visit, "op": "delete"},
            {"document_id": self.foreign["technician"][0], "collection": "technician", "set": {"name": "lie"}},
            {"document_id": str(uuid.uuid4()), "op": "create", "set": {"site_id": site, "kind": "repair_minor"}},
            {"add": {"asset_ids": [asset]}},
            {"add": {"readings": [entry | {"asset_id": asset, "meter": "hours", "value": 1.0, "unit": "h"}]}},
            {"add": {"findings": [entry | {"asset_id": asset, "severity": "minor", "text": "lie"}]}},
            {"set": {"assignee_id": self.foreign["technician"][0]}},
            {"set": {"site_id": site}},
            {"set": {"number": "V-1", "coverage_id": str(uuid.uuid4())}},
            {"add": {"notes": [forged]}},
            {"add": {"events": [entry | {"type": "closed"}]}},
            {"id": self.dice.choice(self.known), "document_id": visit, "set": {"work_summary": "lie"}},
            {"n": self.dice.choice((1, 2**31 - 1, self.n)), "set": {"work_summary": "fork"}},
            {"group": str(uuid.uuid4()), "document_id": visit, "set": {"work_summary": "half a group"}},
            {"made_at": iso(datetime.now(UTC) + timedelta(days=30_000)), "set": {"work_summary": "2108"}},
        ]
        return base | self.dice.choice(lies)

    def look(self) -> str:
        """One path that it may try to read."""
        every = [each for some in self.foreign.values() for each in some]
        return self.dice.choice(
            [
                f"/sync/v1/documents?ids={','.join(self.dice.sample(every, 3))}",
                "/sync/v1/pull",
                f"/sync/v1/digest?cursor={self.tablet.state.cursor}&collection=visit",
                f"/sync/v1/attachments/{self.foreign['file'][0]}",
                f"/sync/v1/attachments/{self.foreign['file'][0]}/receipt",
                f"/sync/v1/mutations?after=-1&limit={self.dice.randint(1, 50)}",
                "/sync/v1/conflicts",
                f"/api/v1/visits/{self.foreign['visit'][0]}",
            ]
        )


def test_f27_a_liar_reads_and_changes_nothing_of_others(app: Flask, company: SmallCompany) -> None:
    """Foreign ids, server fields, forged authors, versions from the future, forks, half groups: each is answered."""
    boris, anna = enrol(app, company.id, company.boris), enrol(app, company.id, company.anna)
    with app.app_context():
        theirs = [
            company.visit(site_id=site, asset_ids=[asset])
            for site, asset in zip(company.sites[1:], company.assets[1:], strict=True)
        ]
        own = company.visit(site_id=company.sites[0])
        for visit in theirs:
            publish(company.id, visit, company.boris, datetime.now(UTC))
            change(Visit, company.id, visit, title=CANARY)
        for site in company.sites[1:]:
            change(Site, company.id, site, access_note=CANARY)
        publish(company.id, own, company.anna, datetime.now(UTC))
    boris.read()
    photo = pictures.photo(7)
    uploads.upload(boris, photo)
    uploads.attach(boris, theirs[0], photo)
    boris.change(theirs[0], set={"work_summary": CANARY})
    known = [mutation["id"] for mutation in boris.unsent()]
    boris.sync()
    anna.read()
    foreign = {
        "visit": theirs, "site": company.sites[1:], "asset": company.assets[1:], "technician": [company.boris],
        "file": [pictures.sha256(photo)],
    }  # fmt: skip
    before = stored(app, company, foreign)
    liar = Liar(anna, own, foreign, known, seed=1)
    for _ in range(MOVES // AT_ONCE):
        body = {"device_time": iso(datetime.now(UTC)), "mutations": [liar.mutation() for _ in range(AT_ONCE - 1)]}
        status, answer = anna.transport("POST", "/sync/v1/push", body)
        assert status == 200, answer
        assert len(answer["results"]) == AT_ONCE - 1
        seen = uploads.ask(anna, "GET", liar.look())
        assert seen.status_code < 500
        assert CANARY not in seen.text
        assert CANARY not in str(answer)
    assert stored(app, company, foreign) == before
    anna.read()
    assert CANARY not in str(anna.state.documents)
    assert not set(theirs) & anna.ids
    assert {note["by_name"] for note in anna.body(own)["notes"]} <= {"Anna"}
    with app.app_context():
        assert unwhole(company.id) == []
    boris.change(theirs[0], set={"work_summary": "goes on"})
    assert boris.sync()[0]["status"] == "applied"


def stored(app: Flask, company: SmallCompany, foreign: dict[str, list[str]]) -> list[Any]:
    """The documents of others as they are stored, with their versions."""
    with app.app_context():
        found = [documents.stored(company.id, one) for kind in ("visit", "site", "asset") for one in foreign[kind]]
        db.session.remove()
    return found
