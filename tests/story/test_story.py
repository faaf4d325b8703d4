"""The main job from end to end, over real HTTP, on both databases.

A pump is sold and installed (imported), its month-1 inspection makes itself, is planned with its reasons and published;
technician A does it without a network while the office gives the visit to B and edits the same access note. A's tablet
is killed once and reconnects: nothing that was done on it is lost.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import pictures
from tests.conftest import DATABASES, DEMO_NOW, copied
from tests.serving import Server
from tests.story.tablet import Tablet, entry

PHOTO = pictures.photo()
OURS = "Ring at the gate, ask for Pere"
THEIRS = "New code 4417, the caretaker called"
SEEN = "Gate code is 4471, opened with it"


@pytest.fixture(params=DATABASES)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """The demo company at work, at its own moment."""
    with copied(request, request.param, "demo", tmp_path) as url:
        running = Server(url, tmp_path, clock_offset=DEMO_NOW - datetime.now(UTC))
        running.start()
        yield running
        running.stop()


class Office:
    """What a dispatcher does, over HTTP; each call must succeed."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.token = server.sign_in("dispatcher@rounds.example")

    def call(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = self.server.call(method, f"/api/v1{path}", body, token=self.token)
        assert 200 <= status < 300, (path, answer)
        return answer

    def items(self, path: str) -> list[dict[str, Any]]:
        return list(self.call("GET", path)["items"])

    def one(self, path: str) -> dict[str, Any]:
        items = self.items(path)
        assert len(items) == 1, items
        return items[0]


def write_csv(path: Path, **row: str) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerow(row)
    return str(path)


def sell_and_install(server: Server, folder: Path, installed_on: date) -> None:
    """The pump comes in by import: dry run first, then for real; a second import changes nothing."""
    files = {
        "sites": write_csv(
            folder / "sites.csv", external_ref="STORY-S", name="Hotel Story", branch="Andorra", customer_ref="STORY-C",
            customer_name="Story Hotels", customer_locale="en", lat="42.5078", lon="1.5211", city="Andorra la Vella",
            access_note=OURS,
        ),
        "assets": write_csv(
            folder / "assets.csv", external_ref="STORY-A", site_ref="STORY-S", model="PU-100", serial="SP-0001",
            installed_on=installed_on.isoformat(), commissioned_on=installed_on.isoformat(), warranty_term="W24",
        ),
        "plans": write_csv(
            folder / "plans.csv", external_ref="STORY-W", asset_ref="STORY-A", kind="proactive_inspection",
            name="Warranty inspections", trigger="warranty", phases="m1|m6", starts_on=installed_on.isoformat(),
            early_days="7", late_days="14",
        ),
        "floating": write_csv(
            folder / "floating.csv", external_ref="STORY-F", asset_ref="STORY-A", kind="proactive_inspection",
            name="Every four weeks", trigger="floating", every="4 weeks",
            last_done_on=installed_on.isoformat(), starts_on=installed_on.isoformat(), early_days="3", late_days="7",
        ),
    }  # fmt: skip
    for name, file in files.items():
        what = "plans" if name == "floating" else name
        server.flask("import", what, file, "--dry-run")
        server.flask("import", what, file)
        server.flask("import", what, file)


def working_day(after: date) -> date:
    day = after + timedelta(days=1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return day


def test_what_is_done_on_site_is_never_lost(server: Server, tmp_path: Path) -> None:
    office = Office(server)
    today = server.now().date()
    sell_and_install(server, tmp_path, today - timedelta(days=28))
    site = office.one("/sites?external_ref=STORY-S")
    asset = office.one("/assets?external_ref=STORY-A")
    warranty_plan = office.one("/maintenance-plans?external_ref=STORY-W")
    floating_plan = office.one("/maintenance-plans?external_ref=STORY-F")

    # The scheduler makes the inspection without anybody's call; a second run changes nothing.
    server.flask("jobs", "run", "generate_visits")
    visit = office.one(f"/visits?plan_id={warranty_plan['id']}")
    assert (visit["origin"], visit["kind"], visit["asset_ids"]) == ("proactive", "proactive_inspection", [asset["id"]])
    assert visit["coverage"]["outcome"] == "free"
    assert "W24" in visit["coverage"]["reason"]["text"]["en"]
    server.flask("jobs", "run", "generate_visits")
    assert office.one(f"/visits?plan_id={warranty_plan['id']}")["id"] == visit["id"]

    # The planner puts it on a route and says why; the dispatcher publishes.
    day = working_day(today)
    plan = office.call("POST", "/plans", {"date": day.isoformat(), "branch_id": site["branch_id"], "seconds": 1})
    stop, first = next(
        (stop, route["technician_id"])
        for route in plan["routes"]
        for stop in route["stops"]
        if stop["visit_id"] == visit["id"]
    )
    assert stop["why"]["text"]
    office.call("POST", f"/plans/{plan['id']}/publish")

    # A's tablet gets it with all that it needs.
    names = {one["id"]: one["name"] for one in office.items(f"/technicians?branch_id={site['branch_id']}&limit=200")}
    email = email_of(names[first])
    a = Tablet(server, tmp_path / "a.json")
    a.enrol(email)
    a.pull()
    assert a.document(visit["id"]) is not None
    assert a.document(site["id"]) is not None
    assert a.document(asset["id"]) is not None

    # Without a network: the inspection with readings, a photo and a signature, and the access note as it is.
    now = server.now()
    a.edit(visit["id"], add={"events": [entry(now, type="started")]})
    a.edit(
        visit["id"],
        add={
            "readings": [entry(now, asset_id=asset["id"], meter="hours", value=312.0, unit="h")],
            "notes": [entry(now, text="Seal is dry, no noise")],
            "answers": [entry(now, item="seal", value=True)],
        },
    )
    a.edit(site["id"], set={"access_note": SEEN})
    signature = entry(now, name="Pere Riba", strokes=[[[0, 0, 0], [10, 12, 40]]])
    a.edit(visit["id"], set={"signature": signature}, add={"events": [entry(now + timedelta(seconds=1), type="done")]})

    # Meanwhile the office moves the visit to B and edits the same note.
    second = next(one for one in names if one != first and email_of(names[one]) != email)
    b = Tablet(server, tmp_path / "b.json")
    b.enrol(email_of(names[second]))
    office.call("PATCH", f"/visits/{visit['id']}", {"assignee_id": second})
    office.call("PATCH", f"/sites/{site['id']}", {"access_note": THEIRS})
    b.pull()
    assert b.document(visit["id"]) is not None
    assert b.document(site["id"]) is not None

    # A's tablet is killed once; so is the server. Both come back.
    server.kill()
    server.start()
    a = Tablet(server, tmp_path / "a.json")
    results = a.push()
    assert {result["status"] for result in results} <= {"applied", "merged"}, results
    sha256 = a.upload(PHOTO, cut_at=1000)
    a.pull()

    # Nothing is lost: the visit is done by A, and B's tablet has let it go.
    done = office.call("GET", f"/visits/{visit['id']}")
    assert (done["exec_state"], done["performed_by_id"]) == ("done", first)
    assert [note["text"] for note in done["notes"]] == ["Seal is dry, no noise"]
    assert [reading["value"] for reading in done["readings"]] == [312.0]
    assert done["signature"]["name"] == "Pere Riba"
    assert done["coverage"]["outcome"] == "free"
    b.pull()
    for tablet in (a, b):
        assert tablet.replica.verify().whole, "what each has is what the server has for it"
    assert b.document(visit["id"]) is None
    assert b.state.dropped[visit["id"]] == "done-by-other"
    assert a.document(visit["id"]) is not None
    status, answer = server.call("GET", f"/api/v1/attachments/{sha256}", token=office.token)
    assert status == 200, answer

    # The clash is in the inbox with both values, who and when; what was seen on site stands; undo works.
    clash = office.one(f"/conflicts?state=open&document_id={site['id']}")
    assert (clash["field"], clash["base"], clash["mine"], clash["theirs"]) == ("access_note", OURS, SEEN, THEIRS)
    assert (clash["mine_by"]["name"], bool(clash["theirs_by"]["name"])) == (names[first], True)
    assert clash["mine_at"]
    assert clash["theirs_at"]
    assert office.call("GET", f"/sites/{site['id']}")["access_note"] == SEEN
    office.call("POST", f"/conflicts/{clash['id']}/resolve", {"choice": "theirs"})
    assert office.call("GET", f"/sites/{site['id']}")["access_note"] == THEIRS
    office.call("POST", f"/conflicts/{clash['id']}/undo")
    assert office.call("GET", f"/sites/{site['id']}")["access_note"] == SEEN
    late = office.one(f"/conflicts?state=open&document_id={visit['id']}")
    assert (late["kind"], late["reason"]["code"]) == ("late", "done-after-reassignment")

    # The floating plan's next date counts from what was done.
    server.flask("jobs", "run", "generate_visits")
    ledger = office.items(f"/occurrences?plan_id={floating_plan['id']}&sort=-due_on")
    finished = datetime.fromisoformat(done["finished_at"]).date()
    assert ledger[0]["due_on"] == (finished + timedelta(weeks=4)).isoformat()


def email_of(name: str) -> str:
    """A demo technician's address: the name without accents, joined by a point."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return ".".join(plain.replace("'", "").split()) + "@rounds.example"
