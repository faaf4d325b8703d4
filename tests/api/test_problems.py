"""Every mistake of a caller is told as a problem: status, code, field and words in the caller's language."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.api.body import DRAINED
from tests.api.conftest import NOBODY, Calm, problem
from tests.builders import Office, SmallCompany


@pytest.fixture
def company(calm: Calm) -> SmallCompany:
    return calm.company


@pytest.fixture
def client(calm: Calm) -> FlaskClient:
    return calm.client


@pytest.fixture
def dispatcher(calm: Calm) -> Office:
    return calm.dispatcher


@pytest.fixture
def visit(calm: Calm) -> str:
    return calm.visit


# Fields


def test_unknown_field_is_named(dispatcher: Office, visit: str) -> None:
    told = problem(dispatcher.patch(f"/api/v1/visits/{visit}", json={"colour": "red"}), 422, "invalid-fields", "colour")
    assert told["errors"] == [{"field": "colour", "code": "unknown", "detail": "There is no such field."}]


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"title": 5}, "title", "not-text"),
        ({"priority": "high"}, "priority", "not-a-whole-number"),
        ({"priority": 1.5}, "priority", "not-a-whole-number"),
        ({"priority": 4}, "priority", "out-of-range"),
        ({"locked": "perhaps"}, "locked", "not-true-or-false"),
        ({"asset_ids": "x"}, "asset_ids", "not-a-list"),
        ({"asset_ids": ["x"]}, "asset_ids.0", "not-an-id"),
        ({"due_from": "tomorrow"}, "due_from", "not-a-date"),
        ({"window_start": "2026-11-25T09:00:00"}, "window_start", "not-a-moment"),
        ({"plan_state": "lost"}, "plan_state", "not-one-of"),
        ({"kind": None}, "kind", "null"),
        ({"title": "x" * 201}, "title", "too-long"),
        ({"title": "a\x00b"}, "title", "characters"),
        ({"number": "V-1"}, "number", "derived"),
        ({"events": []}, "events", "derived"),
        ({"service_minutes": 1e30}, "service_minutes", "not-a-whole-number"),
        ({"service_minutes": 2**40}, "service_minutes", "out-of-range"),
        ({"window_start": "2026-11-25T09:00:00Z", "window_end": "2026-11-25T08:00:00Z"}, "window_end", "order"),
    ],
)
def test_wrong_value_is_named_with_its_code(
    dispatcher: Office, visit: str, values: dict[str, Any], field: str, code: str
) -> None:
    told = problem(dispatcher.patch(f"/api/v1/visits/{visit}", json=values), 422, "invalid-fields", field)
    assert told["errors"][0]["code"] == code
    assert told["errors"][0]["detail"] != f"field.{code}"


def test_a_new_visit_names_all_that_it_lacks(dispatcher: Office) -> None:
    told = problem(dispatcher.post("/api/v1/visits", json={}), 422, "invalid-fields")
    assert {(one["field"], one["code"]) for one in told["errors"]} == {("kind", "required"), ("site_id", "required")}


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "dancing"}, {"site_id": NOBODY}, {"assignee_id": NOBODY}, {"asset_ids": [NOBODY]},
        {"checklist_id": NOBODY},
    ],
    ids=lambda values: next(iter(values)),
)  # fmt: skip
def test_reference_to_nothing_is_named(dispatcher: Office, visit: str, values: dict[str, Any]) -> None:
    field = next(iter(values))
    told = problem(dispatcher.patch(f"/api/v1/visits/{visit}", json=values), 422, "unknown-reference", field)
    assert field in told["detail"]


@pytest.mark.parametrize(
    ("collection", "values"),
    [("sites", {"branch_id": NOBODY}), ("sites", {"customer_id": NOBODY}), ("technicians", {"branch_id": NOBODY}),
     ("assets", {"site_id": NOBODY}), ("assets", {"model_id": NOBODY})],
)  # fmt: skip
def test_reference_of_other_documents_to_nothing_is_named(
    dispatcher: Office, company: SmallCompany, collection: str, values: dict[str, str]
) -> None:
    item = {"sites": company.sites[0], "technicians": company.anna, "assets": company.assets[0]}[collection]
    answer = dispatcher.patch(f"/api/v1/{collection}/{item}", json=values)
    problem(answer, 422, "unknown-reference", next(iter(values)))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "a" * 64])
def test_time_zone_that_does_not_exist_is_refused(dispatcher: Office, company: SmallCompany, zone: str) -> None:
    answer = dispatcher.patch(f"/api/v1/sites/{company.sites[0]}", json={"tz": zone})
    problem(answer, 422, "invalid-fields", "tz")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_days_at_the_ends_of_the_calendar_are_refused_and_harm_no_plan(
    dispatcher: Office, visit: str, day: str
) -> None:
    for field in ("due_from", "due_to"):
        problem(dispatcher.patch(f"/api/v1/visits/{visit}", json={field: day}), 422, "invalid-fields", field)
    for path in (f"/board?date={day}", f"/visits/{visit}/options?date={day}", f"/visits?date={day}"):
        problem(dispatcher.get(f"/api/v1{path}"), 422, "invalid-fields", "date")
    problem(dispatcher.post("/api/v1/plans", json={"date": day}), 422, "invalid-fields", "date")


def test_a_published_visit_needs_somebody_and_a_time(dispatcher: Office, visit: str) -> None:
    told = problem(dispatcher.patch(f"/api/v1/visits/{visit}", json={"plan_state": "published"}), 422, "invalid-fields")
    assert {one["field"] for one in told["errors"]} == {"assignee_id", "planned_start"}


def test_many_unknown_fields_are_cut_to_the_first_fifty(dispatcher: Office, visit: str) -> None:
    values = {f"{number}" + "x" * 1000: 1 for number in range(500)}
    told = problem(dispatcher.patch(f"/api/v1/visits/{visit}", json=values), 422, "invalid-fields")
    assert len(told["errors"]) == 50
    assert all(len(one["field"]) < 130 for one in told["errors"])


# Bodies

DEEP = b'{"a":' * 40 + b"1" + b"}" * 40
VERY_DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
MANY_KEYS = b"{" + b",".join(b'"k%d":1' % n for n in range(20_001)) + b"}"
HUGE_NUMBER = b'{"priority":' + b"9" * 5000 + b"}"
BROKEN = {
    "cut short": b'{"title":',
    "nothing": b"",
    "a list": b"[]",
    "text": b'"text"',
    "null": b"null",
    "NaN": b'{"priority": NaN}',
    "Infinity": b'{"priority": Infinity}',
    "half of a surrogate pair": b'{"title": "\\ud800"}',
    "not UTF-8": b'{"title": "\xff\xfe"}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "one key twice": b'{"title": "a", "title": "b"}',
    "deep": DEEP,
    "very deep": VERY_DEEP,
    "many keys": MANY_KEYS,
    "a number of 5,000 digits": HUGE_NUMBER,
    "two objects": b"{}{}",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_body_that_is_not_one_json_object_is_refused(dispatcher: Office, visit: str, body: bytes) -> None:
    for method, path in (("patch", f"/visits/{visit}"), ("post", "/plans"), ("patch", "/auth/me")):
        answer = getattr(dispatcher, method)(f"/api/v1{path}", data=body, content_type="application/json")
        problem(answer, 400, "broken-json")


def test_nul_in_any_text_is_refused(dispatcher: Office, company: SmallCompany) -> None:
    answer = dispatcher.patch(f"/api/v1/sites/{company.sites[0]}", json={"access_note": "a\x00b"})
    problem(answer, 422, "invalid-fields", "access_note")
    problem(dispatcher.get("/api/v1/sites?q=a%00b"), 422, "invalid-fields", "q")
    problem(dispatcher.get("/api/v1/sites?external_ref=%00"), 422, "invalid-fields", "external_ref")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_another_type_of_body_is_refused(dispatcher: Office, visit: str, kind: str) -> None:
    for method, path in (("patch", f"/visits/{visit}"), ("post", "/plans"), ("post", f"/visits/{visit}/cancel")):
        answer = getattr(dispatcher, method)(f"/api/v1{path}", data=b'{"reason": "x"}', content_type=kind)
        problem(answer, 415, "not-acceptable")


def test_compressed_body_is_refused(dispatcher: Office, visit: str) -> None:
    answer = dispatcher.patch(
        f"/api/v1/visits/{visit}",
        data=b"\x1f\x8b",
        content_type="application/json",
        headers={"Content-Encoding": "gzip"},
    )
    problem(answer, 415, "not-acceptable")


def test_body_of_twenty_megabytes_is_refused(dispatcher: Office, visit: str) -> None:
    body = b'{"title": "' + b"x" * 20_000_000 + b'"}'
    problem(dispatcher.patch(f"/api/v1/visits/{visit}", data=body, content_type="application/json"), 413, "too-large")


# Who asks

OPEN_PATHS = ["/visits", "/board?date=2026-11-25", "/auth/me", f"/plans/{NOBODY}"]


@pytest.mark.parametrize("path", OPEN_PATHS)
def test_without_a_token_nothing_is_told(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/api/v1{path}")
    problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Basic YTpi", "Bearer \xff\xfe", "bearer", "Bearer a b"])
def test_wrong_token_is_refused(client: FlaskClient, company: SmallCompany, header: str) -> None:
    problem(client.get("/api/v1/visits", headers={"Authorization": header}), 401, "unauthenticated")
    problem(client.get("/sync/v1/pull", headers={"Authorization": header}), 401, "unauthenticated")


def test_a_mistake_in_the_body_is_not_told_to_strangers(client: FlaskClient, company: SmallCompany) -> None:
    problem(client.post("/api/v1/plans", data=b"{", content_type="application/json"), 401, "unauthenticated")


def test_wrong_role_is_told_which_would_do(client: FlaskClient, company: SmallCompany) -> None:
    anna = company.sign_in(client, "anna@small.example")
    told = problem(anna.get("/api/v1/customers"), 403, "forbidden")
    assert "dispatcher, manager, administrator" in told["detail"]
    told = problem(anna.get("/api/v1/customers", headers={"Accept-Language": "ru"}), 403, "forbidden")
    assert "диспетчер, руководитель, администратор" in told["detail"]


# Addresses and headers


def test_method_that_is_not_taken_names_those_that_are(dispatcher: Office, visit: str) -> None:
    answer = dispatcher.delete(f"/api/v1/visits/{visit}")
    problem(answer, 405, "method-not-allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "PATCH"}


@pytest.mark.parametrize("name", ["1", "not-a-uuid", "%00", "..%2f..%2fetc", "é", "x" * 3000, f"{{{NOBODY}}}"])
def test_id_that_is_none_answers_not_found(dispatcher: Office, name: str) -> None:
    problem(dispatcher.get(f"/api/v1/visits/{name}"), 404, "not-found")


def test_parameter_sent_twice_is_refused(dispatcher: Office) -> None:
    told = problem(dispatcher.get("/api/v1/visits?limit=1&limit=2"), 422, "invalid-fields", "limit")
    assert told["errors"][0]["code"] == "twice"


def test_unknown_parameter_is_refused(dispatcher: Office) -> None:
    problem(dispatcher.get("/api/v1/visits?colour=red"), 422, "invalid-fields", "colour")


CURSORS = {
    "garbage": "garbage", "not base64": "%", "empty list": "W10", "not ASCII": "é",
    # ["-id", "x…", "x…"] with 36 characters that are no id; ["-id", 1, null]; ["-id", "\u0000", …]
    "ids that are none": "WyItaWQiLCJ4Iiwi" + "eHh4" * 12 + "Il0",
    "wrong types": "WyItaWQiLDEsbnVsbF0",
}  # fmt: skip


@pytest.mark.parametrize("cursor", CURSORS.values(), ids=CURSORS.keys())
def test_cursor_that_is_not_ours_is_refused(dispatcher: Office, cursor: str) -> None:
    problem(dispatcher.get("/api/v1/visits", query_string={"cursor": cursor}), 400, "bad-cursor", "cursor")


def test_cursor_of_another_order_is_refused(company: SmallCompany, dispatcher: Office) -> None:
    cursor = dispatcher.get("/api/v1/sites?limit=1&sort=name").json["next_cursor"]
    problem(dispatcher.get(f"/api/v1/sites?sort=-name&cursor={cursor}"), 400, "bad-cursor")


@pytest.mark.parametrize("tag", ['"9"', '"x"', "²", '"²"', "W/", '"1", "2"', '""', '"99999999999999999999"'])
def test_change_of_another_version_is_refused_with_the_one_in_force(dispatcher: Office, visit: str, tag: str) -> None:
    answer = dispatcher.patch(f"/api/v1/visits/{visit}", json={"title": "x"}, headers={"If-Match": tag})
    told = problem(answer, 412, "version-changed")
    assert "Version 1 " in told["detail"]


@pytest.mark.parametrize("text", ["%", "_", "\\", "%25", "'", '"', "' OR 1=1 --", "Hotel_1", "Hote%"])
def test_signs_of_sql_in_a_search_are_only_text(dispatcher: Office, company: SmallCompany, text: str) -> None:
    answer = dispatcher.get("/api/v1/sites", query_string={"q": text})
    assert answer.status_code == 200
    assert answer.json["items"] == []


# Languages


def test_problems_speak_the_language_that_is_asked_for(client: FlaskClient, company: SmallCompany) -> None:
    titles = {
        language: client.get("/api/v1/visits", headers={"Accept-Language": language}).json["title"]
        for language in ("en", "ru", "ru-RU,ru;q=0.9,en;q=0.8", "fr, ru;q=0.5", "fr", "*", ";;;q=nan")
    }
    assert titles["ru"] == titles["ru-RU,ru;q=0.9,en;q=0.8"] == titles["fr, ru;q=0.5"] == "Сначала войдите"
    assert titles["en"] == titles["fr"] == titles["*"] == titles[";;;q=nan"] == "Sign in first"


# Bodies that nobody reads


class Zeros(io.RawIOBase):
    """So many bytes on their way, and how many were taken."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.taken = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = bytes(min(size if size >= 0 else self.left, self.left))
        self.left -= len(data)
        self.taken += len(data)
        return data


def sent(client: FlaskClient, body: Zeros, **environ: Any) -> TestResponse:
    asked = {"wsgi.input": body, "CONTENT_LENGTH": str(body.left), "CONTENT_TYPE": "application/json"}
    return client.open("/api/v1/plans", method="POST", environ_overrides=asked | environ)


def test_a_body_that_no_view_reads_is_taken_off_the_connection(client: FlaskClient) -> None:
    body = Zeros(20_000_000)
    problem(sent(client, body), 401, "unauthenticated")
    assert body.taken == 20_000_000


def test_only_so_much_is_taken_of_a_body_without_end(client: FlaskClient) -> None:
    body = Zeros(10**12)
    problem(sent(client, body), 401, "unauthenticated")
    assert body.taken == DRAINED
    chunked = Zeros(10**12)
    problem(sent(client, chunked, **{"wsgi.input_terminated": True}), 401, "unauthenticated")
    assert chunked.taken == DRAINED


def test_a_client_that_asks_first_is_told_at_once(client: FlaskClient) -> None:
    body = Zeros(20_000_000)
    problem(sent(client, body, HTTP_EXPECT="100-continue"), 401, "unauthenticated")
    assert body.taken == 0
