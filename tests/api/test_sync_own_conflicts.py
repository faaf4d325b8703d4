"""A technician's own conflicts on the tablet: one entry for each event, in words, and restored by an ordinary edit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from server.store.models import Site, Visit
from tests.builders import Office, SmallCompany, change, publish
from tests.tablets import Tablet, enrol


@pytest.fixture
def visit(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        made = company.visit()
        publish(company.id, made, company.anna, datetime.now(UTC))
        return made


@pytest.fixture
def anna(app: Flask, company: SmallCompany, visit: str) -> Tablet:
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    return tablet


def office(app: Flask, company: SmallCompany, model: Any, item_id: str, **values: Any) -> None:
    with app.app_context():
        change(model, company.id, item_id, **values)


def own(tablet: Tablet, query: str = "") -> list[dict[str, Any]]:
    status, answer = tablet.transport("GET", f"/sync/v1/conflicts{query}")
    assert status == 200, answer
    return list(answer["conflicts"])


def access_clash(app: Flask, company: SmallCompany, anna: Tablet, field: str = "access_note") -> dict[str, Any]:
    site = company.sites[0]
    anna.change(site, "site", set={field: "+376 800 001"})
    office(app, company, Site, site, **{field: "+376 800 002"})
    anna.sync()
    (entry,) = own(anna)
    return entry


def test_a_clash_is_told_with_both_values_who_when_and_why_in_both_languages(
    app: Flask, company: SmallCompany, anna: Tablet
) -> None:
    """S-42"""
    entry = access_clash(app, company, anna)
    assert (entry["field"], entry["mine"], entry["theirs"]) == ("access_note", "+376 800 001", "+376 800 002")
    assert (entry["chosen"], entry["may_restore"], entry["resolved"]) == ("mine", True, None)
    assert entry["mine_at"]
    assert entry["theirs_at"]
    assert entry["because"]["en"] != entry["because"]["ru"]
    assert entry["title"] == anna.body(company.sites[0])["name"]


def test_one_reassignment_is_one_entry_with_names_however_many_edits_met_it(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-42"""
    anna.work(visit, "en_route", "arrived", "started", "done")
    office(app, company, Visit, visit, assignee_id=company.boris)
    results = anna.sync()
    assert len({conflict["id"] for result in results for conflict in result["conflicts"]}) == 1
    (entry,) = own(anna)
    assert entry["kind"] == "late"
    assert company.anna not in (entry["mine"], entry["theirs"], entry["base"])
    assert company.boris not in (entry["mine"], entry["theirs"], entry["base"])
    assert entry["theirs"] in entry["because"]["en"]
    assert not entry["may_restore"]


@pytest.mark.parametrize("field", ["access_note", "contact_phone"])
def test_a_technician_lets_the_other_value_stand_and_takes_it_back_by_ordinary_edits(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office, field: str
) -> None:
    """S-43"""
    entry = access_clash(app, company, anna, field)
    site = company.sites[0]
    other, stood = ("theirs", "mine") if entry["chosen"] == "mine" else ("mine", "theirs")
    anna.change(site, "site", set={field: entry[other]}, resolves=entry["id"])
    assert anna.sync()[0]["status"] == "applied"
    assert anna.body(site)[field] == entry[other]
    (settled,) = own(anna)
    assert (settled["state"], settled["resolved"]["choice"]) == ("resolved", other)
    at_office = dispatcher.get(f"/api/v1/conflicts?document_id={site}").json["items"][0]
    assert (at_office["state"], at_office["resolution"]["choice"]) == ("resolved", other)
    anna.change(site, "site", set={field: entry[stood]}, resolves=entry["id"])
    anna.sync()
    assert anna.body(site)[field] == entry[stood]
    assert own(anna)[0]["resolved"]["choice"] == stood


def test_what_a_technician_settled_the_office_can_take_back(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office
) -> None:
    """S-43"""
    entry = access_clash(app, company, anna)
    site = company.sites[0]
    anna.change(site, "site", set={"access_note": entry["theirs"]}, resolves=entry["id"])
    anna.sync()
    assert dispatcher.post(f"/api/v1/conflicts/{entry['id']}/undo").status_code == 200
    anna.sync()
    assert anna.body(site)["access_note"] == entry["mine"]
    assert own(anna)[0]["resolved"] is None


def test_what_the_office_has_settled_stays_settled_though_the_edit_counts(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office
) -> None:
    """S-43"""
    entry = access_clash(app, company, anna)
    dispatcher.post(f"/api/v1/conflicts/{entry['id']}/resolve", json={"choice": "theirs"})
    anna.read()
    anna.change(company.sites[0], "site", set={"access_note": entry["mine"]}, resolves=entry["id"])
    anna.sync()
    assert anna.body(company.sites[0])["access_note"] == entry["mine"]
    assert own(anna)[0]["resolved"]["choice"] == "theirs"


def test_nobody_settles_or_sees_the_conflicts_of_another(
    app: Flask, company: SmallCompany, anna: Tablet, dispatcher: Office
) -> None:
    """S-42, S-43"""
    entry = access_clash(app, company, anna)
    boris = enrol(app, company.id, company.boris)
    with app.app_context():
        publish(company.id, company.visit(), company.boris, datetime.now(UTC))
    boris.read()
    assert own(boris) == []
    boris.change(company.sites[0], "site", set={"access_note": entry["theirs"]}, resolves=entry["id"])
    assert boris.sync()[0]["status"] == "applied"
    assert own(anna)[0]["resolved"] is None


@pytest.mark.parametrize("resolves", ["00000000-0000-7000-8000-000000000000", "of another field"])
def test_a_resolves_that_fits_nothing_is_an_edit_and_nothing_more(
    app: Flask, company: SmallCompany, anna: Tablet, resolves: str
) -> None:
    """S-43"""
    entry = access_clash(app, company, anna)
    named = resolves if resolves.startswith("0") else entry["id"]
    anna.change(company.sites[0], "site", set={"danger_note": "Ice"}, resolves=named)
    assert anna.sync()[0]["status"] == "applied"
    assert own(anna)[0]["resolved"] is None


def test_what_others_wrote_after_a_document_left_the_tablet_is_not_told(
    app: Flask, company: SmallCompany, anna: Tablet, visit: str
) -> None:
    """S-42"""
    anna.change(visit, set={"work_summary": "Seals changed"})
    office(app, company, Visit, visit, assignee_id=company.boris, work_summary="Not for Anna")
    anna.sync()
    assert "Not for Anna" not in str(own(anna))


def test_the_newest_come_first_and_no_more_than_asked(app: Flask, company: SmallCompany, anna: Tablet) -> None:
    """S-42"""
    site = company.sites[0]
    for field in ("access_note", "danger_note"):
        anna.change(site, "site", set={field: "mine"})
        office(app, company, Site, site, **{field: "theirs"})
        anna.sync()
    assert [one["field"] for one in own(anna)] == ["danger_note", "access_note"]
    assert [one["field"] for one in own(anna, "?limit=1")] == ["danger_note"]
