"""F15: clocks that are years off, jump in the middle of a visit, or are set on the server. S-40, S-41, S-87 (I11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from schemas.entities.base import iso, parse_instant
from tests.builders import SmallCompany, publish
from tests.tablets import Tablet, enrol

OFF = {
    "400 days ahead": timedelta(days=400),
    "400 days behind": timedelta(days=-400),
    "2099": datetime(2099, 1, 1, tzinfo=UTC) - datetime(2026, 1, 1, tzinfo=UTC),
    "1970": datetime(1970, 1, 2, tzinfo=UTC) - datetime(2026, 1, 1, tzinfo=UTC),
}
NEAR = timedelta(minutes=1)
AHEAD = timedelta(minutes=5)
"""No corrected time is further ahead of the moment of receipt (S-40)."""


@pytest.fixture
def visit(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        made = company.visit()
        publish(company.id, made, company.anna)
    return made


def send(tablet: Tablet, offset: timedelta) -> list[Any]:
    """Push by a clock that is off."""
    results = tablet.push(device_time=iso(datetime.now(UTC) + offset), rtt_ms=20)
    tablet.read()
    return results


def times(visit: Any) -> list[tuple[str, datetime, datetime]]:
    return [(one["type"], parse_instant(one["at"]), parse_instant(one["at_corrected"])) for one in visit["events"]]  # type: ignore[misc]


@pytest.mark.parametrize("off", OFF)
def test_f15_a_clock_that_is_years_off_costs_no_work_and_wins_nothing(
    app: Flask, company: SmallCompany, visit: str, off: str
) -> None:
    """The work is there with its own time and the corrected one; an edit of 2099 stands until another is written."""
    wrong, right = enrol(app, company.id, company.anna), enrol(app, company.id, company.anna)
    for tablet in (wrong, right):
        tablet.read()
    now, site = datetime.now(UTC), company.sites[0]
    wrong.work(visit, "started", "done", start=now + OFF[off] - timedelta(minutes=1))
    wrong.change(site, "site", set={"access_note": "by the wrong clock"}, at=now + OFF[off])
    assert {result["status"] for result in send(wrong, OFF[off])} == {"applied"}
    seen = wrong.body(visit)
    assert seen["exec_state"] == "done"
    for (_, at, corrected), real in zip(times(seen), (now - timedelta(minutes=1), now), strict=True):
        assert abs(at - OFF[off] - real) < timedelta(seconds=1)
        assert abs(corrected - real) < NEAR
    right.read()
    right.change(site, "site", set={"access_note": "afterwards"})
    assert send(right, timedelta())[0]["status"] == "applied"
    wrong.read()
    assert wrong.body(site)["access_note"] == "afterwards"


@pytest.mark.parametrize("off", OFF)
def test_f15_a_clock_that_jumps_in_the_middle_of_a_visit_loses_no_step(
    app: Flask, company: SmallCompany, visit: str, off: str
) -> None:
    """Begun by the right clock, done by the wrong one, sent at once: the visit is done, and both times are kept."""
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    send(tablet, timedelta())
    now = datetime.now(UTC)
    tablet.event(visit, "started", now - timedelta(hours=1))
    tablet.event(visit, "done", now + OFF[off])
    send(tablet, OFF[off])
    seen = tablet.body(visit)
    assert [kind for kind, _, _ in times(seen)] == ["started", "done"]
    assert {kind: at for kind, at, _ in times(seen)} == {
        "started": parse_instant(iso(now - timedelta(hours=1))), "done": parse_instant(iso(now + OFF[off]))
    }  # fmt: skip
    assert all(corrected <= datetime.now(UTC) + AHEAD for _, _, corrected in times(seen))
    assert seen["exec_state"] == "done"
    _, told = tablet.transport("POST", "/sync/v1/push", {"device_time": iso(datetime.now(UTC)), "mutations": []})
    assert "clock-jump" in {notice["code"] for notice in told["notices"]}


@pytest.mark.parametrize("step", [timedelta(minutes=-30), timedelta(days=30)], ids=["back", "ahead"])
def test_f15_a_server_whose_clock_is_set_loses_and_repeats_nothing(
    app: Flask, company: SmallCompany, visit: str, step: timedelta
) -> None:
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    tablet.event(visit, "started")
    tablet.sync()
    tablet.change(visit, set={"work_summary": "before the answer"})
    sent = tablet.save()
    tablet.send()
    with time_machine.travel(datetime.now(UTC) + step, tick=True):
        again = Tablet(tablet.transport, type(tablet.state)(**sent))
        assert [result.get("repeated") for result in again.send()] == [True]
        again.event(visit, "done", datetime.now(UTC))
        again.sync()
        seen = again.body(visit)
        assert {event["type"] for event in seen["events"]} == {"started", "done"}
        # By a clock that was set back the work ended before it began: that is kept, and said to the office.
        assert (seen["exec_state"], seen["flags"]) in (("done", []), ("working", ["illegal_event"]))
        assert seen["work_summary"] == "before the answer"
