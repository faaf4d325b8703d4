"""What WatermelonDB clients rely on, at the wire: S-130 to S-139."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from schemas.columns import kinds
from schemas.entities import COLLECTIONS
from server.actions.end_device import revoke
from server.extensions import db
from server.store.models import Company, Site
from server.store.transaction import transactional
from tests.builders import Office, SmallCompany, change, entry, publish
from tests.tablets import Tablet, enrol


class Melon:
    """A WatermelonDB client as its manual has it: rows by table, what was changed in them, and one whole number."""

    def __init__(self, tablet: Tablet) -> None:
        self.tablet = tablet
        self.rows: dict[str, dict[str, Any]] = {}
        self.stamp: int | None = None
        self.noise: list[str] = []

    def call(self, method: str, **kwargs: Any) -> Any:
        transport: Any = self.tablet.transport
        headers = {"Authorization": f"Bearer {self.tablet.state.token}"}
        return transport.client.open("/sync/watermelon", method=method, headers=headers, **kwargs)

    def ask(self, **query: Any) -> Any:
        """One pull, not taken in."""
        stamp = "null" if self.stamp is None else self.stamp
        answer = self.call(
            "GET", query_string={"last_pulled_at": stamp, "schema_version": 1, "migration": "null"} | query
        )
        assert answer.status_code == 200, answer.text
        return answer.json

    def take(self, answer: Any) -> None:
        """Take an answer in as the library does; what it would complain of is noted."""
        for table, sets in answer["changes"].items():
            here = self.rows.setdefault(table, {})
            ids = [each["id"] for each in sets["created"] + sets["updated"]] + sets["deleted"]
            assert len(ids) == len(set(ids))
            for row in sets["created"] + sets["updated"]:
                assert not {"_status", "_changed"} & row.keys()
                if (row["id"] in here) != (row in sets["updated"]):
                    self.noise.append(f"{table} {row['id']}")
                here[row["id"]] = row
            for each in sets["deleted"]:
                here.pop(each, None)
            if answer.get("experimentalStrategy") == "replacement":
                self.rows[table] = {key: row for key, row in here.items() if key in ids}
        assert answer["timestamp"] >= (self.stamp or 1)
        self.stamp = answer["timestamp"]

    def pull(self, **query: Any) -> None:
        more = True
        while more:
            answer = self.ask(**query)
            self.take(answer)
            more = answer["more"]

    def push(self, **tables: Any) -> Any:
        """Push as of the last pull, before the next one."""
        changes = {table: {"created": [], "updated": [], "deleted": []} | sets for table, sets in tables.items()}
        answer = self.call(
            "POST",
            query_string={"last_pulled_at": "null" if self.stamp is None else self.stamp},
            data=json.dumps(changes),
            content_type="text/plain;charset=UTF-8",
        )
        assert answer.status_code == 200, answer.text
        return answer.json["results"]

    def edited(self, table: str, row_id: str, **values: Any) -> dict[str, Any]:
        """A row with what a person changed in it."""
        return self.rows[table][row_id] | values | {"_status": "updated", "_changed": ",".join(values)}


@pytest.fixture
def visit(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        made = company.visit(asset_ids=[company.assets[0]])
        publish(company.id, made, company.anna)
        return made


@pytest.fixture
def anna(app: Flask, company: SmallCompany, visit: str) -> Melon:
    melon = Melon(enrol(app, company.id, company.anna, "Anna's"))
    melon.pull()
    return melon


@pytest.fixture
def boris(app: Flask, company: SmallCompany) -> Melon:
    return Melon(enrol(app, company.id, company.boris, "Boris's"))


@pytest.fixture
def site(company: SmallCompany) -> str:
    return company.sites[0]


def office(app: Flask, company: SmallCompany, model: Any, item_id: str, **values: Any) -> None:
    with app.app_context():
        change(model, company.id, item_id, **values)


def journal(melon: Melon) -> list[Any]:
    transport: Any = melon.tablet.transport
    headers = {"Authorization": f"Bearer {melon.tablet.state.token}"}
    found: list[Any] = transport.client.get("/sync/v1/mutations", headers=headers).json["mutations"]
    return found


def conflicts(dispatcher: Office, **query: str) -> list[Any]:
    found: list[Any] = dispatcher.get("/api/v1/conflicts", query_string=query).json["items"]
    return found


# --- pull -----------------------------------------------------------------------------------------------------------


def test_the_first_pull_brings_the_scope_by_table(anna: Melon, company: SmallCompany, visit: str) -> None:
    """S-130, S-131: a whole number from 1, created rows, lists and objects as JSON text."""
    assert anna.stamp == 1
    assert {*anna.rows} == set(COLLECTIONS)
    assert {*anna.rows["visit"]} == {visit}
    assert {*anna.rows["site"]} == {company.sites[0]}
    row = anna.rows["visit"][visit]
    assert set(row) == {"id", "version", *kinds("visit")}
    assert json.loads(row["asset_ids"]) == [company.assets[0]]
    assert all(value is None or isinstance(value, str | int | float) for value in row.values())
    assert anna.noise == []


def test_a_pull_without_news_says_so_under_the_same_number(anna: Melon) -> None:
    """S-130"""
    assert anna.ask() == {"changes": {}, "timestamp": 1, "more": False}


def test_changes_come_as_updated_and_removals_as_deleted(
    app: Flask, company: SmallCompany, anna: Melon, site: str, visit: str
) -> None:
    """S-131: nothing is told that the device need not know; what comes back is created."""
    office(app, company, Site, site, access_note="Side door")
    answer = anna.ask()
    assert {name: len(rows) for name, rows in answer["changes"]["site"].items()} == {
        "created": 0, "updated": 1, "deleted": 0,
    }  # fmt: skip
    anna.take(answer)
    with app.app_context():
        publish(company.id, visit, company.boris)
        other = company.visit(site_id=company.sites[1])
        publish(company.id, other, company.anna)
        publish(company.id, other, company.boris)
    gone = anna.ask()["changes"]
    assert gone["visit"] == {"created": [], "updated": [], "deleted": [visit]}
    assert gone["site"]["deleted"] == [site]
    anna.pull()
    with app.app_context():
        publish(company.id, visit, company.anna)
    anna.pull()
    assert {*anna.rows["visit"]} == {visit}
    assert anna.noise == []


def test_an_answer_that_was_lost_is_got_again(app: Flask, company: SmallCompany, anna: Melon, site: str) -> None:
    """S-130: the device comes back with its old number, and is told again, also when things moved on meanwhile."""
    office(app, company, Site, site, access_note="Side door")
    with app.app_context():
        other = company.visit(site_id=company.sites[1])
        publish(company.id, other, company.anna)
    anna.ask()
    with app.app_context():
        publish(company.id, other, company.boris)
    office(app, company, Site, site, access_note="Front door")
    anna.pull()
    assert anna.rows["site"][site]["access_note"] == "Front door"
    assert other not in anna.rows["visit"]
    assert anna.noise == []


@pytest.mark.parametrize("limit", [1, 3])
def test_a_large_pull_comes_in_parts(app: Flask, company: SmallCompany, limit: int) -> None:
    """S-135: the same rows as at once, own work first."""
    with app.app_context():
        for site in company.sites:
            publish(company.id, company.visit(site_id=site), company.boris)
    boris = Melon(enrol(app, company.id, company.boris))
    first = boris.ask(limit=limit)
    assert sum(len(each["created"]) for each in first["changes"].values()) == limit
    assert first["more"] is True
    assert set(first["changes"]) <= {"technician", "visit", "site", "customer", "asset", "coverage"}
    boris.pull(limit=limit)
    whole = Melon(boris.tablet)
    whole.pull()
    assert whole.rows == boris.rows
    assert boris.noise == []


def test_an_app_may_ask_for_some_tables_alone(anna: Melon, app: Flask, company: SmallCompany) -> None:
    """S-139"""
    some = Melon(enrol(app, company.id, company.anna, "Small"))
    some.pull(tables="visit,site,nothing")
    assert some.rows == {name: anna.rows[name] for name in ("visit", "site")}


def test_new_tables_and_columns_are_filled(anna: Melon, app: Flask, company: SmallCompany, site: str) -> None:
    """S-136: all rows of a new table, of a new column those that have something there; also in parts."""
    small = Melon(enrol(app, company.id, company.anna, "Small"))
    small.pull(tables="site")
    more = {"tables": "site,visit"}
    migration = {"from": 1, "tables": ["visit", "nothing"], "columns": [
        {"table": "site", "columns": ["access_note"]}, {"table": "visit", "columns": ["title"]},
        {"table": "asset", "columns": ["serial", "__proto__"]}, {"table": "x", "columns": ["y"]},
    ]}  # fmt: skip
    small.ask(**more, migration=json.dumps(migration))
    answer = small.ask(**more, migration=json.dumps(migration), limit=1)
    assert answer["more"] is True
    small.take(answer)
    small.pull(**more)
    assert small.rows == {name: anna.rows[name] for name in ("visit", "site")}
    assert small.noise == []
    empty = {"from": 2, "tables": [], "columns": [{"table": "site", "columns": ["danger_note"]}]}
    assert small.ask(**more, migration=json.dumps(empty))["changes"] == {}


def test_another_history_replaces_what_the_device_has(
    app: Flask, company: SmallCompany, anna: Melon, visit: str, site: str
) -> None:
    """S-137: a server restored from a backup, or a number that it does not know; the number goes on rising."""

    @transactional
    def restored() -> None:
        row = db.session.get(Company, company.id)
        assert row is not None
        row.epoch = "another"

    anna.rows["visit"]["lost"] = {"id": "lost"}
    before, rows = anna.stamp, {**anna.rows["visit"]}
    with app.app_context():
        restored()
        publish(company.id, visit, company.boris)
    answer = anna.ask()
    assert answer["experimentalStrategy"] == "replacement"
    assert answer["changes"]["visit"]["deleted"] == [visit]
    anna.take(answer)
    assert anna.rows["visit"] == {}
    assert anna.stamp > (before or 0)
    assert anna.ask()["changes"] == {}
    anna.stamp = 4000
    assert anna.ask(limit=1)["experimentalStrategy"] == "replacement"
    anna.pull()
    assert anna.stamp > 4000
    assert rows
    assert anna.noise == []


@pytest.mark.parametrize(
    "query", [{"last_pulled_at": "0"}, {"last_pulled_at": "x"}, {"migration": "{"}, {"migration": "[]"}, {"limit": 0}]
)
def test_errors_are_plain_text(anna: Melon, query: dict[str, Any]) -> None:
    """S-114"""
    for answer in (anna.call("GET", query_string=query), anna.call("POST", data="[]"), anna.call("PUT")):
        assert answer.status_code >= 400
        assert answer.mimetype == "text/plain"


# --- push -----------------------------------------------------------------------------------------------------------


def test_the_columns_that_a_person_changed_are_an_edit_by_what_the_device_had(
    app: Flask, company: SmallCompany, anna: Melon, site: str, dispatcher: Office
) -> None:
    """S-132, S-133: pushed before the next pull; disjoint fields merge, one field clashes with its base."""
    office(app, company, Site, site, access_note="By the lift", danger_note="Dog")
    row = anna.edited("site", site, access_note="Side door", contact_name="Eva")
    assert anna.push(site={"updated": [row]}) == [{"table": "site", "id": site, "status": "merged", "problem": None}]
    anna.pull()
    now = anna.rows["site"][site]
    assert [now[name] for name in ("access_note", "danger_note", "contact_name")] == ["Side door", "Dog", "Eva"]
    (clash,) = conflicts(dispatcher)
    assert [clash[name] for name in ("field", "base", "mine", "theirs")] == [
        "access_note", "Ring at reception", "Side door", "By the lift",
    ]  # fmt: skip


def test_other_columns_of_a_row_are_no_edits(app: Flask, company: SmallCompany, anna: Melon, site: str) -> None:
    """S-132: `_changed` says which are; a row that does not say it is compared with what the device had."""
    office(app, company, Site, site, danger_note="Dog")
    anna.push(site={"updated": [anna.edited("site", site, access_note="Side door") | {"name": "Inn"}]})
    anna.rows["site"][site]["access_note"] = "Side door"
    row = anna.rows["site"][site] | {"_status": "updated", "_changed": "", "contact_name": "Eva"}
    anna.push(site={"updated": [row]})
    anna.pull()
    now = anna.rows["site"][site]
    assert [now[name] for name in ("name", "danger_note", "contact_name")] == ["Hotel 1", "Dog", "Eva"]
    assert now["access_note"] == "Side door"


def test_a_push_that_comes_again_has_no_effect_again(app: Flask, company: SmallCompany, anna: Melon, site: str) -> None:
    """S-113 (S-27): the answer was lost, the office has written since."""
    row = anna.edited("site", site, access_note="B")
    anna.push(site={"updated": [row]})
    office(app, company, Site, site, access_note="C")
    anna.push(site={"updated": [row]})
    anna.pull()
    assert anna.rows["site"][site]["access_note"] == "C"
    assert len(journal(anna)) == 1


def test_own_edits_one_after_the_other_do_not_clash(anna: Melon, site: str, dispatcher: Office) -> None:
    """S-133: without a pull between them."""
    for note in ("A", "B", "C"):
        anna.push(site={"updated": [anna.edited("site", site, access_note=note)]})
    anna.pull()
    assert anna.rows["site"][site]["access_note"] == "C"
    assert conflicts(dispatcher) == []


def test_json_columns_are_lists_again(anna: Melon, visit: str, site: str, dispatcher: Office) -> None:
    """S-131, S-132: entries are added one by one, elements of sets too; what is no JSON is kept as refused."""
    started = entry(type="started")
    anna.push(visit={"updated": [anna.edited("visit", visit, events=json.dumps([started]))]})
    anna.push(site={"updated": [anna.edited("site", site, tags=json.dumps(["dog"]), access_note="{broken")]})
    anna.push(visit={"updated": [anna.edited("visit", visit, notes="{broken", work_summary="Done", planned_start="")]})
    anna.pull()
    row = anna.rows["visit"][visit]
    assert [event["id"] for event in json.loads(row["events"])] == [started["id"]]
    assert (row["exec_state"], row["work_summary"], json.loads(row["notes"])) == ("working", "Done", [])
    assert json.loads(anna.rows["site"][site]["tags"]) == ["dog"]
    assert anna.rows["site"][site]["access_note"] == "{broken"
    assert sorted(each["status"] for each in journal(anna)) == ["applied", "applied", "applied", "rejected"]


def test_what_was_not_taken_comes_back_with_the_next_pull(anna: Melon, site: str, visit: str) -> None:
    """S-138: an office value, a wrong value, a deletion, a new row of a table where the device makes none."""
    made = str(uuid.uuid4())
    new = anna.rows["site"][site] | {"id": made, "_status": "created", "_changed": ""}
    results = anna.push(
        site={"updated": [anna.edited("site", site, name="Inn", danger_note="x" * 2001)], "created": [new]},
        visit={"deleted": [visit]},
        nothing={"updated": [{"id": "1"}], "deleted": "no list"},
    )
    assert {(each["table"], each["status"]) for each in results} == {
        ("site", "rejected"), ("visit", "rejected"), ("nothing", "rejected"),
    }  # fmt: skip
    anna.rows["site"][made] = new
    anna.rows["site"][site] |= {"name": "Inn", "danger_note": "x" * 2001}
    del anna.rows["visit"][visit]
    anna.pull()
    assert {*anna.rows["site"]} == {site}
    assert [anna.rows["site"][site][name] for name in ("name", "danger_note")] == ["Hotel 1", None]
    assert {*anna.rows["visit"]} == {visit}
    assert anna.noise == []
    assert anna.ask()["changes"] == {}


def test_a_row_made_on_the_device_keeps_the_id_that_the_device_gave_it(
    app: Flask, company: SmallCompany, anna: Melon, site: str
) -> None:
    """S-138: the library's own ids are no UUIDs; to everybody else the document has one."""
    made = dict.fromkeys(kinds("visit")) | {
        "id": "aB3dE6gH9jK2mN5p", "_status": "created", "_changed": "", "kind": "repair_minor", "site_id": site,
        "work_summary": "Leak", "events": json.dumps([entry(type="started")]), "title": "", "priority": 0,
        "hard_due": False, "exec_state": "", "flags": "[]",
    }  # fmt: skip
    for _ in range(2):
        (told,) = anna.push(visit={"created": [made]})
        assert told["status"] == "applied", told
    anna.rows["visit"][made["id"]] = made
    anna.pull()
    row = anna.rows["visit"][made["id"]]
    assert (row["exec_state"], row["work_summary"], row["title"]) == ("working", "Leak", "Repair minor")
    anna.push(visit={"updated": [anna.edited("visit", made["id"], work_summary="Leak, gasket changed")]})
    anna.pull()
    assert len(anna.rows["visit"]) == 2
    assert anna.rows["visit"][made["id"]]["work_summary"] == "Leak, gasket changed"
    assert anna.noise == []
    other = Melon(enrol(app, company.id, company.anna, "Other"))
    other.pull()
    (document_id,) = {*other.rows["visit"]} - {*anna.rows["visit"]}
    assert uuid.UUID(document_id)
    with app.app_context():
        publish(company.id, document_id, company.boris)
    assert anna.ask()["changes"]["visit"]["deleted"] == [made["id"]]


def test_deleting_what_is_not_there_is_nothing(anna: Melon) -> None:
    """S-132"""
    assert anna.push(visit={"deleted": [str(uuid.uuid4()), "x", 5]}) == [
        {"table": "visit", "id": "", "status": "rejected", "problem": anna_problem(anna)}
    ]


def anna_problem(melon: Melon) -> Any:
    return journal(melon)[0]["problem"]


def test_an_edit_of_what_has_left_the_device_is_judged_and_not_lost(
    app: Flask, company: SmallCompany, anna: Melon, boris: Melon, visit: str
) -> None:
    """S-133 (S-14, S-32): pushed before the pull that takes the row away."""
    with app.app_context():
        publish(company.id, visit, company.boris)
    anna.push(visit={"updated": [anna.edited("visit", visit, work_summary="Gasket changed")]})
    anna.pull()
    assert anna.rows["visit"] == {}
    boris.pull()
    assert boris.rows["visit"][visit]["work_summary"] == "Gasket changed"


def test_another_persons_row_is_like_none(
    app: Flask, company: SmallCompany, anna: Melon, boris: Melon, site: str
) -> None:
    """S-110 (S-16)"""
    boris.pull()
    told = []
    for row_id in (site, str(uuid.uuid4())):
        row = anna.rows["site"][site] | {
            "id": row_id,
            "_status": "updated",
            "_changed": "access_note",
            "access_note": "Mine",
        }
        (result,) = boris.push(site={"updated": [row]})
        told.append(result["status"])
        boris.rows.setdefault("site", {})[row_id] = row
    assert told == ["rejected", "rejected"]
    boris.pull()
    assert boris.rows["site"] == {}
    anna.pull()
    assert anna.rows["site"][site]["access_note"] == "Ring at reception"


def test_what_a_client_that_pulls_first_settled_by_itself_is_on_record(
    app: Flask, company: SmallCompany, anna: Melon, site: str, dispatcher: Office
) -> None:
    """S-134: it pulled the office's value, kept the person's, and says so only by `_changed`."""
    office(app, company, Site, site, access_note="By the lift", danger_note="Dog")
    anna.pull()
    row = anna.edited("site", site, access_note="Side door", contact_name="Eva")
    anna.push(site={"updated": [row]})
    assert conflicts(dispatcher, state="open") == []
    (settled,) = conflicts(dispatcher, state="settled")
    assert [settled[name] for name in ("field", "base", "mine", "theirs", "chosen")] == [
        "access_note", "Ring at reception", "Side door", "By the lift", "mine",
    ]  # fmt: skip
    anna.push(site={"updated": [row]})
    assert len(conflicts(dispatcher, state="settled")) == 1


def test_the_base_is_the_last_answer_that_arrived(
    app: Flask, company: SmallCompany, anna: Melon, site: str, dispatcher: Office
) -> None:
    """S-133: an answer that was lost on its way is not what the person saw."""
    office(app, company, Site, site, access_note="By the lift")
    anna.ask()
    anna.push(site={"updated": [anna.edited("site", site, access_note="Side door")]})
    assert [each["base"] for each in conflicts(dispatcher)] == ["Ring at reception"]


def test_what_is_sent_after_access_has_ended_is_kept_for_the_office(
    app: Flask, company: SmallCompany, anna: Melon, site: str, dispatcher: Office
) -> None:
    """S-110 (S-80)"""
    manager = company.sign_in(dispatcher.client, "manager@small.example")
    with app.app_context():
        revoke(company.id, anna.tablet.state.device_id, now=datetime.now(UTC))
    changes = {"site": {"created": [], "updated": [anna.edited("site", site, access_note="Side door")], "deleted": []}}
    for body in (changes, changes, [], {}):
        answer = anna.call("POST", query_string={"last_pulled_at": anna.stamp}, json=body)
        assert (answer.status_code, answer.mimetype) == (401, "text/plain")
    (kept,) = dispatcher.get("/api/v1/salvage").json["items"]
    assert manager.post(f"/api/v1/salvage/{kept['id']}/import", json={}).status_code == 200
    assert dispatcher.get(f"/api/v1/sites/{site}").json["access_note"] == "Side door"


def test_where_the_server_wins_the_device_hears_so(app: Flask, company: SmallCompany, anna: Melon, site: str) -> None:
    """S-115"""
    app.config["MASTER_WINS"] = True
    office(app, company, Site, site, access_note="By the lift")
    (told,) = anna.push(site={"updated": [anna.edited("site", site, access_note="Side door")]})
    assert told["status"] == "overridden"
    anna.rows["site"][site]["access_note"] = "Side door"
    anna.pull()
    assert anna.rows["site"][site]["access_note"] == "By the lift"


def test_a_history_of_two_devices_and_the_office_ends_the_same_everywhere(
    app: Flask, company: SmallCompany, anna: Melon, visit: str
) -> None:
    """(law 1) Random edits, moves, lost answers of pulls and of pushes; then all replicas say what the server says."""
    import random

    chance = random.Random(7)
    other = Melon(enrol(app, company.id, company.anna, "Other"))
    other.pull()
    devices = [anna, other]
    for turn in range(60):
        melon = chance.choice(devices)
        what = chance.randrange(5)
        if what == 0:
            with app.app_context():
                publish(company.id, visit, chance.choice([company.anna, company.boris]))
        elif what == 1:
            office(app, company, Site, company.sites[0], danger_note=f"office {turn}")
        elif what == 2 and company.sites[0] in melon.rows.get("site", {}):
            row = melon.edited("site", company.sites[0], access_note=f"note {turn}", contact_phone=f"+376 {turn:03}")
            melon.rows["site"][company.sites[0]] = {k: v for k, v in row.items() if not k.startswith("_")}
            for _ in range(chance.randrange(1, 3)):
                melon.push(site={"updated": [row]})
        elif what == 3:
            melon.ask(limit=chance.choice([1, 1000]))
        else:
            melon.take(melon.ask(limit=chance.choice([1, 2, 1000])))
    truth = Melon(enrol(app, company.id, company.anna, "Fresh"))
    for melon in (*devices, truth):
        melon.pull()
        assert melon.noise == []
    filled = [{table: rows for table, rows in melon.rows.items() if rows} for melon in (*devices, truth)]
    assert filled[0] == filled[1] == filled[2]
