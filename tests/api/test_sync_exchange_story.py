"""A tablet that lives by files: S-206 to S-215 over a whole story, and over many disorderly ones."""

from __future__ import annotations

import contextlib
import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from server.actions.end_device import revoke
from server.extensions import db
from server.store.models import Mutation, Site
from sync.client import Offline
from tests.builders import Office, SmallCompany, change, entry, publish
from tests.carriers import Carrier, made, taken
from tests.tablets import enrol


def test_days_of_work_by_files_alone(app: Flask, company: SmallCompany, dispatcher: Office) -> None:
    """Enrolled once over the network; then three days by stick, a call from a hill in between, and the end by stick."""
    with app.app_context():
        first, second, third = (company.visit(asset_ids=[company.assets[0]]) for _ in range(3))
        publish(company.id, first, company.anna)
        publish(company.id, second, company.anna)
    anna = enrol(app, company.id, company.anna)
    carrier = Carrier(anna)
    # Day 1: the first load comes by file too.
    assert carrier.read(made(dispatcher, anna)).outcome == "taken"
    assert {first, second} <= anna.ids
    start = datetime.now(UTC) - timedelta(days=3)
    anna.work(first, "started", "done", start=start)
    stick = carrier.write(at=start + timedelta(hours=2))
    # Day 2: the stick comes late; meanwhile she works on, and the office moves a visit away from her.
    anna.work(second, "started", start=start + timedelta(days=1))
    with app.app_context():
        publish(company.id, second, company.boris)
        publish(company.id, third, company.anna)
        change(Site, company.id, company.sites[0], access_note="Ring twice")
    assert taken(dispatcher, stick)["counts"] == {"applied": 2}
    answer = made(dispatcher, anna)
    anna.work(second, "done", start=start + timedelta(days=1, hours=1))
    result = carrier.read(answer)
    assert (result.outcome, result.answers) == ("taken", 2)
    assert second not in anna.ids
    assert third in anna.ids
    assert [m["document_id"] for m in anna.unsent()] == [second, second]
    # Day 3: half a minute of network on a hill; its reply is lost.
    transport = anna.transport
    transport.lose = 1  # type: ignore[attr-defined]
    with pytest.raises(Offline):
        anna.send()
    anna.work(third, "started", "done", start=start + timedelta(days=2))
    came = taken(dispatcher, carrier.write(at=start + timedelta(days=2, hours=3)))
    assert [one["repeated"] for one in came["results"]] == [True, True, False, False]
    assert carrier.read(made(dispatcher, anna)).answers == 4
    assert anna.unsent() == []
    # Done after it had gone to Boris: the work stays hers, once.
    shown = dispatcher.get(f"/api/v1/visits/{second}").json
    assert [event["type"] for event in shown["events"]] == ["started", "done"]
    assert abs(datetime.fromisoformat(shown["events"][0]["at_corrected"]) - (start + timedelta(days=1))) < timedelta(
        seconds=60
    )
    # The network is back: nothing is doubled, nothing is missing.
    with app.app_context():
        before = db.session.query(Mutation).count()
    anna.sync()
    with app.app_context():
        assert db.session.query(Mutation).count() == before == 6
    assert anna.verify().whole
    # Lost, blocked, and its last stick turns up: somebody decides.
    anna.change(third, add={"notes": [entry(text="After the end")]})
    last = carrier.write()
    with app.app_context():
        revoke(company.id, anna.state.device_id, now=datetime.now(UTC))
    assert taken(dispatcher, last)["salvaged"] is True


@pytest.mark.parametrize("seed", range(3))
def test_files_in_any_order_beside_the_network_lose_nothing_and_double_nothing(
    app: Flask, company: SmallCompany, dispatcher: Office, seed: int
) -> None:
    """Files are taken late, twice, out of order or never, on both sides, between exchanges whose replies get lost."""
    chance = random.Random(seed)
    with app.app_context():
        visits = [company.visit() for _ in range(3)]
        for visit in visits:
            publish(company.id, visit, company.anna)
    anna = enrol(app, company.id, company.anna)
    carrier = Carrier(anna)
    anna.sync()
    to_office: list[bytes] = []
    to_tablet: list[bytes] = []
    written: dict[str, set[str]] = {visit: set() for visit in visits}

    def note() -> None:
        visit, text = chance.choice(visits), str(uuid.UUID(int=chance.getrandbits(128)))
        written[visit].add(text)
        anna.change(visit, add={"notes": [entry(text=text)]})

    def write() -> None:
        to_office.append(carrier.write())

    def come() -> None:
        if to_office:
            taken(dispatcher, chance.choice(to_office))

    def make() -> None:
        to_tablet.append(made(dispatcher, anna))

    def read() -> None:
        if to_tablet:
            before = {id_: kept["version"] for id_, kept in anna.state.documents.items()}
            carrier.read(chance.choice(to_tablet))
            after = {id_: kept["version"] for id_, kept in anna.state.documents.items()}
            assert all(after[id_] >= version for id_, version in before.items() if id_ in after)

    def move() -> None:
        with app.app_context():
            publish(company.id, chance.choice(visits), chance.choice([company.anna, company.boris]))

    def describe() -> None:
        with app.app_context():
            change(Site, company.id, company.sites[0], access_note=str(chance.random()))

    def call() -> None:
        transport = anna.transport
        transport.lose = chance.choice([0, 0, 1])  # type: ignore[attr-defined]
        with contextlib.suppress(Offline):
            anna.sync()

    steps = [note, note, note, write, write, come, come, make, make, read, read, move, describe, call]
    for _ in range(70):
        chance.choice(steps)()
    anna.transport.lose = 0  # type: ignore[attr-defined]
    for _ in range(2):
        taken(dispatcher, carrier.write())
        carrier.read(made(dispatcher, anna))
    assert anna.unsent() == []
    kept = anna.save()["documents"]
    proof = anna.verify()
    assert (proof.whole, proof.repaired, proof.strangers) == (True, [], [])
    anna.sync()
    assert anna.save()["documents"] == kept
    for visit in visits:
        notes = [one["text"] for one in dispatcher.get(f"/api/v1/visits/{visit}").json["notes"]]
        assert sorted(notes) == sorted(written[visit])
