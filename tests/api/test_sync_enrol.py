"""Enrolment and what comes after it: S-1 to S-5."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from server.actions.end_device import revoke
from server.actions.enrol_device import make_code
from sync.client import Refused
from tests.builders import SmallCompany
from tests.tablets import OverClient, Tablet, enrol

NOW = datetime.now(UTC)


def code(app: Flask, company: SmallCompany, now: datetime = NOW) -> str:
    with app.app_context():
        return make_code(company.id, company.anna, user_id=None, now=now).code


def refused(tablet: Tablet, text: str) -> Refused:
    with pytest.raises(Refused) as caught:
        tablet.enrol(text, device_name="Tablet")
    return caught.value


def test_a_code_makes_one_tablet_the_technicians(app: Flask, company: SmallCompany) -> None:
    """S-1, S-2: a code works once."""
    text = code(app, company)
    tablet = Tablet(OverClient(app.test_client()))
    tablet.enrol(text, device_name="Tablet")
    tablet.read()
    assert company.anna in tablet.ids
    assert refused(Tablet(OverClient(app.test_client())), text).code == "wrong-code"


@pytest.mark.parametrize("change", [str.lower, lambda text: text.replace("-", ""), lambda text: f" {text} "])
def test_a_code_may_be_typed_as_people_type(app: Flask, company: SmallCompany, change: Any) -> None:
    """S-1"""
    Tablet(OverClient(app.test_client())).enrol(change(code(app, company)), device_name="Tablet")


def test_a_code_that_is_too_old_is_a_wrong_code(app: Flask, company: SmallCompany) -> None:
    """S-2: after ten minutes."""
    old = code(app, company, NOW - timedelta(minutes=11))
    answer = refused(Tablet(OverClient(app.test_client())), old)
    assert (answer.status, answer.code) == (403, "wrong-code")


def test_a_code_that_nobody_made_is_a_wrong_code(app: Flask, company: SmallCompany) -> None:
    """S-2: the same answer whatever is wrong with it."""
    assert refused(Tablet(OverClient(app.test_client())), "AAAAA-AAAAA").code == "wrong-code"


@pytest.mark.parametrize("path", ["/sync/v1/pull", "/sync/v1/mutations", "/sync/v1/attachments/" + "0" * 64])
def test_without_a_token_there_is_nothing(app: Flask, company: SmallCompany, path: str) -> None:
    """S-3"""
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic Og=="}):
        answer = app.test_client().get(path, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")


def test_a_person_signed_in_at_the_office_is_no_tablet(dispatcher: Any) -> None:
    """S-3"""
    assert dispatcher.get("/sync/v1/pull").status_code == 401


def test_a_revoked_tablet_hears_so_and_nothing_else(app: Flask, company: SmallCompany) -> None:
    """S-4: nothing more is sent to it, nothing more is taken; what it holds stays in its outbox."""
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    with app.app_context():
        revoke(company.id, tablet.state.device_id, now=NOW)
    tablet.change(company.sites[0], "site", set={"access_note": "side door"})
    for call in (tablet.pull, tablet.send):
        with pytest.raises(Refused) as caught:
            call()
        assert (caught.value.status, caught.value.code) == (401, "device-revoked")
    assert len(tablet.unsent()) == 1


def test_the_contract_says_what_may_be_written(app: Flask, company: SmallCompany) -> None:
    """S-5: each field of each collection has its owner and its policy."""
    told = app.test_client().get("/sync/v1/schema").json
    assert told["collections"]["visit"]["device_may_create"]
    site = told["collections"]["site"]["fields"]
    assert (site["access_note"]["owner"], site["access_note"]["policy"]) == ("shared", "technician")
    assert site["customer_id"]["refers_to"] == "customer"
    assert all(
        {"owner", "policy", "type"} <= field.keys()
        for one in told["collections"].values()
        for field in one["fields"].values()
    )
