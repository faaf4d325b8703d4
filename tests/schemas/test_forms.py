"""The two forms of a document: whole, as code has it, and lean, as it is stored and sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from marshmallow import fields
from sqlalchemy import select

from schemas.contract import contract
from schemas.entities import COLLECTIONS
from server.config import ROOT
from server.extensions import db
from server.store.models import SYNCED
from tests.builders import SmallCompany, publish


def items(collection: str) -> list[Any]:
    return list(db.session.scalars(select(SYNCED[collection])))


@pytest.mark.parametrize("collection", sorted(COLLECTIONS))
def test_the_lean_form_is_the_whole_one_again(app: Flask, company: SmallCompany, collection: str) -> None:
    """S-17"""
    schema = COLLECTIONS[collection]
    with app.app_context():
        publish(company.id, company.visit(), company.anna)
        for item in items(collection):
            whole = schema.wire(item)
            lean = schema.lean(whole)
            assert schema.whole(lean) == whole
            assert list(schema.whole(lean)) == list(whole)
            assert not [name for name, value in lean.items() if value == schema.usual[name]]


@pytest.mark.parametrize("collection", sorted(COLLECTIONS))
def test_the_wire_form_is_what_marshmallow_dumps(app: Flask, company: SmallCompany, collection: str) -> None:
    schema = COLLECTIONS[collection]
    with app.app_context():
        publish(company.id, company.visit(asset_ids=company.assets[:1]), company.anna)
        found = items(collection)
        assert found
        for item in found:
            assert schema.wire(item) == schema.dump(item)


def test_the_contract_says_what_a_field_is_that_is_left_out() -> None:
    """S-17"""
    told = contract()["collections"]
    for name, schema in COLLECTIONS.items():
        for field, rules in told[name]["fields"].items():
            declared = schema.fields[field]
            listed = isinstance(declared, fields.List)
            empty = [] if listed else False if isinstance(declared, fields.Boolean) else None
            assert rules["usual"] == declared.metadata.get("usual", empty)
    assert told["visit"]["fields"]["plan_state"]["usual"] == "published"


def test_the_tablet_knows_what_is_usual() -> None:
    """S-17: lists, truths and null it takes as such by itself."""
    source = (ROOT / "server" / "web" / "technician" / "usual.js").read_text()
    told = json.loads(source[source.index("= {") + 2 : source.rindex("}") + 1])
    declared = {
        name: {field: rules.metadata["usual"] for field, rules in schema.fields.items() if "usual" in rules.metadata}
        for name, schema in COLLECTIONS.items()
    }
    assert told == {name: fields for name, fields in declared.items() if fields}


def test_lists_of_a_whole_form_are_its_own() -> None:
    schema = COLLECTIONS["visit"]
    schema.whole({})["events"].append("x")
    assert schema.whole({})["events"] == []
