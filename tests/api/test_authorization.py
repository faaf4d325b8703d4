"""Who may do what: a row for each operation of the description, and each cell is really called.

Objects of other companies and of other technicians are in test_problems_of_state.py: they answer like what never was.
"""

from __future__ import annotations

import re

import pytest
from werkzeug.test import TestResponse

from tests.api.conftest import NOBODY, Calm, enrolled, problem
from tests.builders import PASSWORD

PEOPLE = ("technician", "dispatcher", "manager", "admin")
ACTORS = ("anonymous", *PEOPLE, "tablet")

EVERYBODY = frozenset(ACTORS)
SIGNED_IN = frozenset(PEOPLE)
OFFICE = frozenset({"dispatcher", "manager", "admin"})
MANAGERS = frozenset({"manager", "admin"})
ADMIN = frozenset({"admin"})
TABLET = frozenset({"tablet"})

LISTS = ("assets", "branches", "checklists", "conflicts", "contracts", "customers", "devices", "maintenance-plans",
         "mutations", "occurrences", "price-items", "product-models", "quarantine", "service-kinds", "sites",
         "technicians", "warranty-terms")  # fmt: skip

MATRIX: dict[str, frozenset[str]] = {
    **{f"GET /api/v1/{name}": OFFICE for name in LISTS},
    **{f"GET /api/v1/{name}/{{item_id}}": OFFICE for name in LISTS},
    **{f"POST /api/v1/{name}": OFFICE for name in ("assets", "customers", "sites", "visits")},
    **{f"POST /api/v1/{name}": MANAGERS for name in ("checklists", "product-models", "service-kinds", "technicians")},
    **{f"POST /api/v1/{name}": MANAGERS for name in ("contracts", "price-items", "warranty-terms")},
    **{f"PATCH /api/v1/{name}/{{item_id}}": MANAGERS for name in ("contracts", "price-items", "warranty-terms")},
    **{f"POST /api/v1/{name}": ADMIN for name in ("branches", "users")},
    "POST /api/v1/maintenance-plans": MANAGERS,
    "PATCH /api/v1/maintenance-plans/{plan_id}": MANAGERS,
    "GET /api/v1/maintenance-plans/{plan_id}/ledger": OFFICE,
    "POST /api/v1/maintenance-plans/preview": MANAGERS,
    "POST /api/v1/maintenance-plans/{plan_id}/preview": MANAGERS,
    "GET /api/v1/sites/{site_id}/calendar": OFFICE,
    "PUT /api/v1/sites/{site_id}/calendar": OFFICE,
    "GET /api/v1/assets/{asset_id}/meters": OFFICE,
    "POST /api/v1/assets/{asset_id}/readings": OFFICE,
    "PATCH /api/v1/readings/{reading_id}": OFFICE,
    **{
        f"PATCH /api/v1/{name}/{{item_id}}": OFFICE
        for name in ("assets", "customers", "sites", "technicians", "visits")
    },
    "GET /api/v1/attachments/{sha256}": OFFICE,
    "GET /api/v1/attachments/{sha256}/original": MANAGERS,
    "GET /api/v1/attachments/{sha256}/thumbnail": OFFICE,
    "POST /api/v1/auth/login": EVERYBODY,
    "POST /api/v1/auth/logout": SIGNED_IN,
    "GET /api/v1/auth/me": SIGNED_IN,
    "PATCH /api/v1/auth/me": SIGNED_IN,
    "GET /api/v1/board": OFFICE,
    "GET /api/v1/board/changes": OFFICE,
    "DELETE /api/v1/board/draft": OFFICE,
    "POST /api/v1/board/moves": OFFICE,
    "POST /api/v1/board/publish": OFFICE,
    "POST /api/v1/board/trial": OFFICE,
    "POST /api/v1/conflicts/accept-defaults": OFFICE,
    "POST /api/v1/conflicts/settle": OFFICE,
    "POST /api/v1/conflicts/settle/preview": OFFICE,
    "POST /api/v1/conflicts/undo": OFFICE,
    "POST /api/v1/conflicts/{conflict_id}/resolve": OFFICE,
    "POST /api/v1/conflicts/{conflict_id}/undo": OFFICE,
    "POST /api/v1/devices/enrolment-codes": OFFICE,
    "POST /api/v1/devices/{device_id}/revoke": OFFICE,
    "POST /api/v1/devices/{device_id}/exchange": OFFICE,
    "GET /api/v1/exchange": OFFICE,
    "POST /api/v1/exchange": OFFICE,
    "POST /sync/v1/exchange-keys": TABLET,
    "POST /api/v1/devices/notices/{notice_id}/close": OFFICE,
    "GET /api/v1/fleet": OFFICE,
    "GET /api/v1/jobs/runs": MANAGERS,
    "GET /api/v1/salvage": OFFICE,
    "GET /api/v1/salvage/{salvage_id}": OFFICE,
    "POST /api/v1/salvage/{salvage_id}/import": MANAGERS,
    "POST /api/v1/salvage/{salvage_id}/discard": MANAGERS,
    "GET /api/v1/plans": OFFICE,
    "POST /api/v1/plans": OFFICE,
    "GET /api/v1/plans/{plan_id}": OFFICE,
    "DELETE /api/v1/plans/{plan_id}": OFFICE,
    "GET /api/v1/plans/{plan_id}/changes": OFFICE,
    "POST /api/v1/plans/{plan_id}/publish": OFFICE,
    "POST /api/v1/quarantine/{item_id}/discard": OFFICE,
    "GET /api/v1/quarantine/{item_id}/file": OFFICE,
    "POST /api/v1/quarantine/{item_id}/release": OFFICE,
    "GET /api/v1/stream": OFFICE,
    "GET /api/v1/visits": SIGNED_IN,
    "GET /api/v1/visits/{item_id}": SIGNED_IN,
    "GET /api/v1/visits/{visit_id}/attachments": OFFICE,
    "POST /api/v1/visits/{visit_id}/cancel": OFFICE,
    "POST /api/v1/visits/{visit_id}/close": OFFICE,
    "POST /api/v1/visits/{visit_id}/follow-up": OFFICE,
    "GET /api/v1/visits/{visit_id}/history": OFFICE,
    "GET /api/v1/visits/{visit_id}/options": OFFICE,
    "POST /api/v1/visits/{visit_id}/return": OFFICE,
    "POST /api/v1/visits/{visit_id}/review": OFFICE,
    "GET /api/v1/visits/{visit_id}/work": OFFICE,
    "POST /sync/v1/enrol": EVERYBODY,
    "GET /sync/v1/schema": EVERYBODY,
    "OPTIONS /sync/v1/uploads": EVERYBODY,
    "GET /sync/v1/attachments/{sha256}": TABLET,
    "GET /sync/v1/attachments/{sha256}/receipt": TABLET,
    "GET /sync/v1/attachments/{sha256}/thumbnail": TABLET,
    "POST /sync/v1/attachments/receipts": TABLET,
    "GET /sync/v1/conflicts": TABLET,
    "GET /sync/v1/digest": TABLET,
    "GET /sync/v1/documents": TABLET,
    "GET /sync/v1/mutations": TABLET,
    "GET /sync/v1/package": TABLET,
    "GET /sync/v1/pull": TABLET,
    "POST /sync/v1/push": TABLET,
    "GET /sync/v1/stream": TABLET,
    "POST /sync/v1/token": TABLET,
    "POST /sync/v1/leave": TABLET,
    "POST /sync/v1/uploads": TABLET,
    "DELETE /sync/v1/uploads/{upload_id}": TABLET,
    "GET /sync/rxdb/{collection}/{schema_version}/pull": TABLET,
    "GET /sync/rxdb/{collection}/{schema_version}/stream": TABLET,
    "POST /sync/rxdb/{collection}/{schema_version}/push": TABLET,
    "GET /sync/watermelon": TABLET,
    "POST /sync/watermelon": TABLET,
    "HEAD /sync/v1/uploads/{upload_id}": TABLET,
    "PATCH /sync/v1/uploads/{upload_id}": TABLET,
    "POST /sync/v1/uploads/{upload_id}": TABLET,
}
"""Operation -> who is let in. All others are told 401 without a token of the right kind, 403 with another role."""


ENDING = ("/logout", "/leave")
"""Operations after which a token is in force no more."""


def operations(calm: Calm) -> dict[str, dict[str, object]]:
    """All operations of the description, by method and path."""
    paths = calm.client.get("/api/openapi.json").json["paths"]
    return {
        f"{method.upper()} {path}": operation
        for path, methods in paths.items()
        for method, operation in methods.items()
        if method != "parameters"
    }


@pytest.fixture(scope="module")
def tokens(calm: Calm) -> dict[str, str]:
    """A token in force for each actor."""
    return signed_in(calm)


def signed_in(calm: Calm) -> dict[str, str]:
    found = {"anonymous": ""}
    for role in PEOPLE:
        person = "anna" if role == "technician" else role
        found[role] = calm.company.sign_in(calm.client, f"{person}@small.example").token
    found["tablet"] = enrolled(calm.dispatcher, calm.company.boris).token
    return found


def call(calm: Calm, label: str, token: str) -> TestResponse:
    method, path = label.split(" ")
    path = path.replace("{collection}/{schema_version}", "visit/1").replace("{sha256}", "0" * 64)
    path = re.sub("{[a-z]+_id}", NOBODY, path)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"email": "admin@small.example", "password": PASSWORD} if path.endswith("/login") else {}
    json = body if method in ("POST", "PATCH") else None
    return calm.client.open(path, method=method, headers=headers, json=json)


def test_every_operation_has_a_row_and_every_row_an_operation(calm: Calm) -> None:
    assert operations(calm).keys() == MATRIX.keys()


@pytest.mark.parametrize("label", [label for label in MATRIX if not label.endswith(ENDING)])
def test_only_those_in_the_matrix_are_let_in(calm: Calm, tokens: dict[str, str], label: str) -> None:
    _check_row(calm, label, tokens)


def test_signing_out_is_for_those_who_are_signed_in(calm: Calm) -> None:
    _check_row(calm, "POST /api/v1/auth/logout", signed_in(calm))


def test_leaving_is_for_tablets(calm: Calm) -> None:
    _check_row(calm, "POST /sync/v1/leave", signed_in(calm))


def _check_row(calm: Calm, label: str, tokens: dict[str, str]) -> None:
    allowed = MATRIX[label]
    for_tablets = allowed == TABLET
    for actor, token in tokens.items():
        answer = call(calm, label, token)
        if actor in allowed:
            assert answer.status_code != 401, (actor, label)
            # There are no threads to spare for streams here: who may have one is told so.
            assert answer.status_code < 500 or label.endswith("/stream"), (actor, label)
            # Not the role, but the code of the tablet is refused there.
            assert answer.status_code != 403 or "/enrol" in label, (actor, label)
        elif for_tablets or actor in ("anonymous", "tablet"):
            assert answer.status_code == 401, (actor, label)
        else:
            problem(answer, 403, "forbidden")


def test_the_description_says_who_may_call(calm: Calm) -> None:
    for label, operation in operations(calm).items():
        security = operation.get("security")
        if MATRIX[label] == EVERYBODY:
            assert not security, label
        else:
            expected = [{"device": []}] if MATRIX[label] == TABLET else [{"bearer": []}, {"session": []}]
            assert security == expected, label
