"""What the feed forgets, and that nobody misses it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from schemas.entities.base import technician_scope
from server.actions import pull_changes
from server.actions.keep_house import keep_house
from server.extensions import db
from server.store import digest
from server.store.models import Device, DeviceScope, DocumentDigest, ScopeFeed, ScopeFloor, Site, Visit
from server.store.transaction import transactional
from sync.client import Refused
from sync.feed import Cursor, missed_removals, removals_told
from tests.api.test_sync_rxdb import Rx
from tests.api.test_sync_watermelon import Melon
from tests.builders import SmallCompany, change, entry, publish
from tests.tablets import Tablet, enrol

NOTHING = timedelta(0)
EVER = timedelta(days=10_000)


@pytest.fixture(autouse=True)
def every_contact_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull_changes, "CONTACT_NOTED", NOTHING)


def removals(app: Flask) -> int:
    """Rows of documents that left, in all scopes."""
    with app.app_context():
        found = db.session.query(ScopeFeed).filter(ScopeFeed.live.is_(False)).count()
        db.session.rollback()
        return found


def house(app: Flask, company: SmallCompany, *, silent: timedelta = EVER, kept: timedelta = NOTHING) -> int:
    with app.app_context():
        return int(keep_house(company.id, datetime.now(UTC), silent=silent, kept=kept)["removed"])


@transactional
def heard_of(company: SmallCompany, tablet: Tablet, when: datetime) -> None:
    device = db.session.get(Device, (company.id, tablet.state.device_id))
    assert device is not None
    device.last_seen_at = when


def moved(app: Flask, company: SmallCompany, visit: str, to: str | None) -> None:
    with app.app_context():
        publish(company.id, visit, to)


def test_a_removal_is_forgotten_when_all_who_hold_the_scope_have_heard_of_it(app: Flask, company: SmallCompany) -> None:
    """S-156 (law 10): not before, not for its row's number alone, and not while it is young."""
    with app.app_context():
        visit = company.visit()
        publish(company.id, visit, company.anna)
    first, second = enrol(app, company.id, company.anna), enrol(app, company.id, company.anna)
    for tablet in (first, second):
        tablet.read()
    moved(app, company, visit, None)
    assert removals(app) > 0
    first.read()
    first.read()
    assert house(app, company) == 0
    second.read()
    assert house(app, company) == 0, "it was answered, but not yet confirmed by a later cursor"
    moved(app, company, company_visit(app, company), company.anna)
    for tablet in (first, second):
        tablet.read()
        tablet.read()
    assert house(app, company, kept=timedelta(hours=1)) == 0
    assert house(app, company) > 0
    assert removals(app) == 0
    for tablet in (first, second):
        assert visit not in tablet.ids
        assert tablet.verify().whole


def company_visit(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        return company.visit()


def test_who_was_silent_for_too_long_begins_anew_and_keeps_what_was_written(app: Flask, company: SmallCompany) -> None:
    """S-157 (law 10): a clear answer, a baseline that drops what it does not name, the outbox untouched and judged."""
    with app.app_context():
        visit, other = company.visit(), company.visit(site_id=company.sites[1])
        publish(company.id, visit, company.anna)
        publish(company.id, other, company.anna)
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    tablet.change(visit, set={"work_summary": "Written in the cellar"})
    moved(app, company, visit, company.boris)
    with app.app_context():
        heard_of(company, tablet, datetime.now(UTC) - timedelta(days=61))
    assert house(app, company, silent=timedelta(days=60)) > 0
    old = tablet.state.cursor
    status, answer = tablet.transport("GET", f"/sync/v1/pull?cursor={old}")
    assert (status, answer["code"]) == (410, "cursor-too-old")
    tablet.read()
    assert visit not in tablet.ids
    assert other in tablet.ids
    assert [one["set"] for one in tablet.unsent()] == [{"work_summary": "Written in the cellar"}]
    assert tablet.verify().whole
    (result,) = tablet.sync()
    assert result["status"] in ("applied", "merged"), result["problem"]
    with app.app_context():
        assert db.session.get(Visit, (company.id, visit)).work_summary == "Written in the cellar"  # type: ignore[union-attr]
        db.session.remove()
    assert not tablet.unsent()
    fresh = enrol(app, company.id, company.anna)
    fresh.read()
    assert fresh.ids == tablet.ids


def test_what_was_never_on_a_tablet_is_not_its_own_because_the_feed_forgot(app: Flask, company: SmallCompany) -> None:
    """S-156, S-16: an edit is judged for what the tablet had once, not for what it names."""
    with app.app_context():
        visit, others = company.visit(), company.visit(site_id=company.sites[1])
        publish(company.id, visit, company.anna)
        publish(company.id, others, company.boris)
    anna, boris = enrol(app, company.id, company.anna), enrol(app, company.id, company.boris)
    for tablet in (anna, boris):
        tablet.read()
    moved(app, company, visit, None)
    moved(app, company, others, None)
    assert house(app, company, silent=NOTHING) > 0
    anna.change(visit, set={"work_summary": "Was mine"})
    anna.change(others, set={"work_summary": "Was never mine"})
    mine, foreign = anna.send()
    assert mine["status"] in ("applied", "merged")
    assert (foreign["status"], foreign["problem"]["code"]) == ("rejected", "not-found")


def test_what_came_along_with_a_forgotten_visit_is_judged_as_the_visit_is(app: Flask, company: SmallCompany) -> None:
    """S-156, S-14: the access note of the site, a serial number, and a reading of the asset in the visit itself."""
    with app.app_context():
        visit, others = company.visit(asset_ids=company.assets[:1]), company.visit(site_id=company.sites[1])
        publish(company.id, visit, company.anna)
        publish(company.id, others, company.boris)
    anna, boris = enrol(app, company.id, company.anna), enrol(app, company.id, company.boris)
    for tablet in (anna, boris):
        tablet.read()
    moved(app, company, visit, None)
    moved(app, company, others, None)
    assert house(app, company, silent=NOTHING) > 0
    anna.change(company.sites[0], "site", set={"access_note": "The door at the back"})
    anna.change(company.assets[0], "asset", set={"position": "Cellar"})
    anna.change(visit, add={"readings": [entry(asset_id=company.assets[0], meter="hours", value=7, unit="h")]})
    anna.change(company.sites[1], "site", set={"access_note": "Never seen"})
    *own, foreign = anna.send()
    assert [one["status"] for one in own] == ["applied", "applied", "merged"], own
    assert {one["class"] for result in own[:2] for one in result["conflicts"]} == {"late"}
    assert (foreign["status"], foreign["problem"]["code"]) == ("rejected", "not-found")


def test_rxdb_begins_anew_under_another_epoch_and_reads_on_from_there(app: Flask, company: SmallCompany) -> None:
    """S-157, S-122: the app removes what the new baseline does not name, as after a restore; once, in any pages."""
    with app.app_context():
        stays, goes, comes = (company.visit(site_id=site) for site in company.sites)
        for visit in (stays, goes):
            publish(company.id, visit, company.anna)
    anna = Rx(enrol(app, company.id, company.anna))
    _, old = anna.read("visit")
    assert (anna.pull("visit", old)["documents"], old["epoch"].count("~")) == ([], 0)
    moved(app, company, goes, None)
    assert house(app, company) == 0, "it is heard of, so that it is waited for"
    moved(app, company, comes, company.anna)
    assert house(app, company, silent=NOTHING) > 0
    first = anna.pull("visit", old, limit=1)
    assert first["checkpoint"]["epoch"].startswith(old["epoch"] + "~")
    rest, new = anna.read("visit", first["checkpoint"], limit=1)
    assert {each["id"] for each in [*first["documents"], *rest]} == {stays, comes}
    assert new["epoch"] == first["checkpoint"]["epoch"]
    moved(app, company, stays, company.boris)
    told, new = anna.read("visit", new)
    assert [(each["id"], each["_deleted"]) for each in told] == [(stays, True)]
    stream = anna.call("GET", "visit/1/stream", query_string=old)
    assert (stream.status_code, stream.text.partition(":")[0]) == (410, "cursor-too-old")


def test_rxdb_is_waited_for_by_the_collection_that_is_least_read(app: Flask, company: SmallCompany) -> None:
    """S-156: a removal that one of a client's collections has not heard of stays in the feed."""
    with app.app_context():
        visit = company.visit()
        publish(company.id, visit, company.anna)
    anna = Rx(enrol(app, company.id, company.anna))
    places = {name: anna.read(name)[1] for name in ("visit", "site")}
    for name, place in places.items():
        anna.pull(name, place)
    moved(app, company, visit, None)
    _, places["visit"] = anna.read("visit", places["visit"])
    anna.pull("visit", places["visit"])
    house(app, company)
    told, places["site"] = anna.read("site", places["site"])
    assert [(each["id"], each["_deleted"]) for each in told] == [(company.sites[0], True)]


def test_watermelondb_gets_a_replacement(app: Flask, company: SmallCompany) -> None:
    """S-157, S-137: whoever comes back after removals were forgotten gets everything, and nothing that left stays."""
    with app.app_context():
        stays, goes = company.visit(), company.visit(site_id=company.sites[1])
        for visit in (stays, goes):
            publish(company.id, visit, company.anna)
    anna = Melon(enrol(app, company.id, company.anna))
    anna.pull()
    moved(app, company, goes, None)
    assert house(app, company, silent=NOTHING) > 0
    answer = anna.ask()
    assert answer["experimentalStrategy"] == "replacement"
    anna.take(answer)
    assert set(anna.rows["visit"]) == {stays}
    assert anna.noise == []
    assert anna.ask()["changes"] == {}


def test_sums_that_are_kept_know_of_removals_that_were_forgotten(
    app: Flask, company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-147: the newest row of a scope is not the newest change when the row of a removal is gone."""
    monkeypatch.setattr(digest, "LARGE", 1)
    with app.app_context():
        early, late = company.visit(), company.visit(site_id=company.sites[1])
        publish(company.id, early, company.anna)
        publish(company.id, late, company.anna)
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    assert tablet.verify().whole
    moved(app, company, early, None)
    tablet.read()
    assert house(app, company, silent=NOTHING) > 0
    found = tablet.verify()
    assert (found.whole, found.repaired, found.strangers) == (True, [], [])


def test_a_tablet_in_the_middle_of_its_first_pull_is_waited_for(app: Flask, company: SmallCompany) -> None:
    """S-156: what leaves while the baseline is being read is told."""
    with app.app_context():
        visits = [company.visit(site_id=company.sites[n % 3]) for n in range(4)]
        for visit in visits:
            publish(company.id, visit, company.anna)
    tablet = enrol(app, company.id, company.anna)
    while not (seen := [each for each in visits if each in tablet.ids]):
        tablet.pull(limit=3)
    gone = seen[0]
    moved(app, company, gone, None)
    assert house(app, company) == 0
    tablet.read(limit=6)
    assert gone not in tablet.ids
    assert tablet.verify().whole


def test_the_end_of_a_scope_takes_what_had_left_it_before(app: Flask, company: SmallCompany) -> None:
    """S-14, S-156 (law 5): a document left, then the scope ended, and the tablet heard of neither."""
    with app.app_context():
        visit, stays = company.visit(), company.visit(site_id=company.sites[1])
        publish(company.id, visit, company.anna)
        publish(company.id, stays, company.anna)
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    moved(app, company, visit, None)

    @transactional
    def end_scope() -> None:
        from server.store.feed import next_number

        key = (company.id, tablet.state.device_id, technician_scope(company.anna))
        held = db.session.get(DeviceScope, key)
        assert held is not None
        held.revoked = next_number(db.session(), company.id)

    with app.app_context():
        end_scope()
    assert house(app, company) == 0
    tablet.read(limit=1)
    assert not {visit, stays, company.sites[0]} & tablet.ids
    assert tablet.verify().whole


def test_checksums_are_at_hand_before_anybody_asks(app: Flask, company: SmallCompany) -> None:
    """S-147: the first tablet does not pay for all."""
    with app.app_context():
        publish(company.id, company.visit(), company.anna)
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    house(app, company)
    with app.app_context():
        kept = db.session.query(DocumentDigest).count()
        db.session.rollback()
    assert kept == len(tablet.ids)
    with app.app_context():
        change(Site, company.id, company.sites[0], access_note="New")
        assert keep_house(company.id, datetime.now(UTC))["checksums"] == 1


@pytest.mark.parametrize("seed", range(6))
def test_random_histories_with_forgetting_end_whole(app: Flask, company: SmallCompany, seed: int) -> None:
    """S-156, S-157 (laws 1, 5 and 10): half-read pages, lost answers, silent tablets, and a feed that forgets."""
    rng = random.Random(seed)
    with app.app_context():
        visits = [company.visit(site_id=company.sites[n % 3]) for n in range(6)]
    who = [company.anna, company.boris, company.anna]
    tablets = [enrol(app, company.id, each) for each in who]
    for _ in range(40):
        step = rng.random()
        if step < 0.4:
            moved(app, company, rng.choice(visits), rng.choice([company.anna, company.boris, None]))
        elif step < 0.8:
            tablet = rng.choice(tablets)
            before = tablet.save()
            tablet.pull(rng.choice([1, 2, 50]))
            if rng.random() < 0.25:
                tablet.state = type(tablet).load(tablet.transport, before).state
        else:
            house(app, company, silent=NOTHING if rng.random() < 0.3 else EVER)
    moved(app, company, visits[0], None)
    house(app, company, silent=NOTHING)
    for tablet in tablets:
        for _ in range(200):
            if not tablet.pull(rng.choice([1, 50])):
                break
        found = tablet.verify()
        assert (found.whole, found.repaired, found.strangers) == (True, [], [])
    with app.app_context():
        assert db.session.query(ScopeFloor).count() > 0
        db.session.rollback()


@pytest.mark.parametrize(
    ("granted", "revoked", "read", "told"),
    [(5, None, 0, 5), (5, None, 9, 8), (5, 12, 9, 5), (5, 12, 12, 5), (5, 12, 13, 2**62)],
)
def test_up_to_where_a_device_has_heard(granted: int, revoked: int | None, read: int, told: int) -> None:
    """S-156: the number that it stands within does not count; an end is told under its own."""
    assert removals_told(granted, revoked, read) == told


@pytest.mark.parametrize(
    ("cursor", "revoked", "floor", "missed"),
    [
        (Cursor(seq=7), None, 7, False),
        (Cursor(seq=7), None, 8, True),
        (Cursor(seq=7, document_id="a"), None, 7, True),
        (Cursor(seq=3, document_id="a"), None, 5, False),
        (Cursor(seq=5, document_id="a", since=9), None, 9, False),
        (Cursor(seq=5, document_id="a", since=9), None, 10, True),
        (Cursor(seq=7), 12, 8, True),
        (Cursor(seq=12), 12, 20, False),
        (Cursor(seq=12, document_id="a"), 12, 20, True),
    ],
)
def test_whom_forgotten_removals_may_have_missed(cursor: Cursor, revoked: int | None, floor: int, missed: bool) -> None:
    """S-157: of a scope that was granted at 5; a baseline is not asked about what was gone when it began."""
    assert missed_removals(cursor, 5, revoked, floor) == missed


def test_a_foreign_problem_is_no_reason_to_begin_anew(app: Flask, company: SmallCompany) -> None:
    """S-157: only the two answers that say so."""
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    tablet.state.cursor = "nonsense"
    with pytest.raises(Refused, match="bad-cursor"):
        tablet.pull()
    assert tablet.state.stale == []
