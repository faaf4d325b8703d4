"""Schemathesis asks each operation all sorts of things; no answer may be other than the description says."""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from tests.api.conftest import AtWork
from tests.builders import SmallCompany

EXAMPLES = int(os.environ.get("ROUNDS_TEST_EXAMPLES", "10"))
SHARE = {"sqlite": 1.0, "postgresql": 0.4}
"""How often each operation is asked; the description is the same, the databases differ in what they take."""

SLOW = {"POST /api/v1/plans": 4}
"""Operations that start the planner's process, and how often they are asked."""

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.ignored_auth,
]


@pytest.fixture
def tokens(client: FlaskClient, company: SmallCompany, at_work: AtWork) -> dict[str, str]:
    """For each security scheme a token in force; logging out has one of its own to end."""
    return {
        "bearer": company.sign_in(client, "admin@small.example").token,
        "logout": company.sign_in(client, "admin@small.example").token,
        "device": at_work.tablet.token,
    }


def known_ids(path: str, at_work: AtWork) -> dict[str, Any]:
    """A path's parameters, filled with something that is there."""
    company = at_work.company
    known = {
        "/visits/": at_work.published, "/plans/": at_work.plan, "/conflicts/": at_work.conflict,
        "/sites/": company.sites[0], "/assets/": company.assets[0], "/technicians/": company.anna,
        "/customers/": company.customer, "/branches/": company.branch, "/devices/": at_work.tablet.device_id,
    }  # fmt: skip
    if "{collection}" in path:
        return {"collection": "visit", "schema_version": 1}
    found = next((one for part, one in known.items() if part in path), None)
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return dict.fromkeys(names, found) if found else {}


def ask(operation: Any, headers: dict[str, str], known: dict[str, Any], examples: int) -> None:
    """Ask one operation with data that its description allows and with data that it does not."""
    given_cases = operation.as_strategy(GenerationMode.POSITIVE)
    if known:
        given_cases |= operation.as_strategy(GenerationMode.POSITIVE, path_parameters=known)
    if operation.body or operation.query or operation.path_parameters:
        given_cases |= operation.as_strategy(GenerationMode.NEGATIVE)

    @settings(
        max_examples=min(SLOW.get(operation.label, examples), examples),
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=given_cases)
    def one(case: Any) -> None:
        if operation.label in SLOW and isinstance(case.body, dict) and "seconds" in case.body:
            case.body["seconds"] = 0.2 if isinstance(case.body["seconds"], float | int) else case.body["seconds"]
        case.call_and_validate(checks=CHECKS, headers=headers)

    one()


def test_every_answer_is_one_that_the_description_names(app: Flask, at_work: AtWork, tokens: dict[str, str]) -> None:
    app.config["PLAN_SECONDS"] = 0.2
    description = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    examples = round(EXAMPLES * SHARE[app.config["SQLALCHEMY_DATABASE_URI"].split(":")[0].split("+")[0]])
    failures, asked = [], 0
    for found in description.get_all_operations():
        operation = found.ok()
        if operation.path.endswith("/stream"):
            continue  # It never ends; test_sync_stream.py has it.
        schemes = {name for each in operation.definition.raw.get("security", ()) for name in each}
        scheme = "device" if "device" in schemes else "logout" if operation.path.endswith("/logout") else "bearer"
        headers = {"Accept-Encoding": "identity"}
        headers |= {"Authorization": f"Bearer {tokens[scheme]}"} if schemes else {}
        try:
            ask(operation, headers, known_ids(operation.path, at_work), examples)
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - all operations are asked, then all told
            failures.append(f"{operation.label}: {_told(error)}")
        asked += 1
    assert not failures, "\n\n".join(failures)
    assert asked > 50


def _told(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "\n".join(_told(each) for each in error.exceptions)
    return f"{type(error).__name__}: {error}"[:1500]
