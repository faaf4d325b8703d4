"""The contract for machines: S-5."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
from flask import Flask
from flask.testing import FlaskClient

from schemas.contract import contract, document_schema
from schemas.entities import COLLECTIONS
from schemas.json_schema import blank
from tests.api.conftest import AtWork, Calm
from tests.tablets import enrol

FORMATS = jsonschema.FormatChecker(["date"])


def checker(collection: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(document_schema(COLLECTIONS[collection]), format_checker=FORMATS)


@pytest.mark.parametrize("collection", sorted(COLLECTIONS))
def test_each_schema_is_a_schema_and_takes_the_smallest_document(collection: str) -> None:
    """S-5: as JSON Schema 2020-12; the same smallest values pass the server's own check."""
    schema = COLLECTIONS[collection]
    jsonschema.Draft202012Validator.check_schema(document_schema(schema))
    smallest = {name: blank(field) for name, field in schema.fields.items()}
    checker(collection).validate(smallest)
    ours = {name: value for name, value in smallest.items() if not schema.fields[name].dump_only}
    assert schema.validated(ours, required=True) == ours


def test_every_document_that_is_sent_is_as_the_contract_says(app: Flask, at_work: AtWork) -> None:
    """S-5: after events, answers, readings, a signature and a clash."""
    tablet = enrol(app, at_work.company.id, at_work.company.anna)
    tablet.read()
    seen = set()
    for held in tablet.state.documents.values():
        checker(held["collection"]).validate(held["document"])
        seen.add(held["collection"])
    assert seen == set(COLLECTIONS)


@pytest.mark.parametrize(
    ("field", "value"),
    [("priority", 4), ("priority", "1"), ("plan_state", "lost"), ("due_from", "soon"), ("planned_start", "2026-11-23"),
     ("asset_ids", ["x"]), ("events", [{"id": "1"}]), ("colour", "red"), ("site_id", None), ("title", "x" * 201)],
)  # fmt: skip
def test_what_the_server_would_refuse_the_schema_refuses(field: str, value: Any) -> None:
    """S-5"""
    smallest = {name: blank(each) for name, each in COLLECTIONS["visit"].fields.items()}
    with pytest.raises(jsonschema.ValidationError):
        checker("visit").validate(smallest | {field: value})


def test_the_contract_says_whose_each_field_is_and_who_may_make_and_delete(calm: Calm) -> None:
    """S-5: and what the description of the office's API says of making agrees."""
    told = calm.client.get("/sync/v1/schema").json
    assert told == contract()
    visit = told["collections"]["visit"]
    assert (visit["create"], visit["delete"], visit["since"]) == (["office", "device"], [], 1)
    assert visit["fields"]["site_id"] == {
        "type": "id", "required": True, "nullable": False, "owner": "office", "policy": "office", "refers_to": "site",
        "brings": True, "since": 1, "usual": None,
    }  # fmt: skip
    assert visit["fields"]["checklist_id"]["brings"] is False
    for name, each in told["collections"].items():
        assert set(each["fields"]) | {"id"} == set(each["schema"]["properties"]), name
    described = calm.client.get("/api/openapi.json").json["paths"]
    made = {path.removeprefix("/api/v1/") for path, methods in described.items() if "post" in methods}
    singular = {re.sub(r"(?<=ch)es$|s$", "", name).replace("-", "_") for name in made}
    by_office = {name for name, each in told["collections"].items() if "office" in each["create"]}
    assert by_office <= singular


def test_nobody_needs_a_token_to_read_the_contract(client: FlaskClient) -> None:
    """S-5"""
    assert client.get("/sync/v1/schema").status_code == 200
