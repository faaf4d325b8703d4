"""Signing in: throttled, ended, expired, same-site."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import extract_parameters
from flask import Flask
from flask.testing import FlaskClient

from server.actions import passwords
from server.actions.passwords import hash_password
from server.actions.sign_in import ABSOLUTE, sign_in, token_hash
from server.extensions import db
from server.problems import Problem
from server.store.models import LoginSession, User
from server.store.queries import people
from server.store.transaction import transactional
from tests.api.conftest import problem
from tests.builders import PASSWORD, Office, SmallCompany
from tests.conftest import PRODUCT_HASHER

EMAIL = "dispatcher@small.example"
NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def inside(app: Flask, company: SmallCompany) -> Iterator[None]:
    with app.app_context():
        yield


def miss(at: datetime, email: str = EMAIL, address: str = "192.0.2.1") -> Problem:
    with pytest.raises(Problem) as caught:
        sign_in(email, "wrong", address=address, now=at)
    return caught.value


# Throttle


@pytest.mark.usefixtures("inside")
def test_after_five_misses_each_next_try_waits_twice_as_long() -> None:
    assert [miss(NOW).code for _ in range(5)] == ["wrong-credentials"] * 5
    moment, waits = NOW, []
    for _ in range(3):
        told = miss(moment)
        assert told.code == "too-many-tries"
        wait = int(told.headers["Retry-After"])
        waits.append(wait)
        assert miss(moment + timedelta(seconds=wait - 1)).code == "too-many-tries"
        moment += timedelta(seconds=wait)
        assert miss(moment).code == "wrong-credentials"
    assert waits == [30, 60, 120]


@pytest.mark.usefixtures("inside")
def test_waiting_as_long_as_told_lets_the_right_password_in() -> None:
    for _ in range(5):
        miss(NOW)
    wait = int(miss(NOW).headers["Retry-After"])
    with pytest.raises(Problem, match="too-many-tries"):
        sign_in(EMAIL, PASSWORD, address=None, now=NOW)
    assert sign_in(EMAIL, PASSWORD, address=None, now=NOW + timedelta(seconds=wait)).token


@pytest.mark.usefixtures("inside")
def test_nobody_is_locked_out_for_good() -> None:
    for _ in range(5):
        miss(NOW)
    assert sign_in(EMAIL, PASSWORD, address=None, now=NOW + timedelta(minutes=16)).token


@pytest.mark.usefixtures("inside")
def test_an_address_has_thirty_misses_whatever_the_accounts() -> None:
    codes = [miss(NOW, email=f"somebody{number}@small.example").code for number in range(31)]
    assert codes == ["wrong-credentials"] * 30 + ["too-many-tries"]
    assert sign_in(EMAIL, PASSWORD, address="192.0.2.2", now=NOW).token


@pytest.mark.usefixtures("inside")
def test_signing_in_rightly_counts_as_no_miss() -> None:
    for _ in range(12):
        assert sign_in(EMAIL, PASSWORD, address="192.0.2.1", now=NOW).token
    assert people.misses_of_account(EMAIL, NOW - timedelta(minutes=1)) == []


def test_many_guesses_at_once_are_not_more_than_one_by_one(app: Flask, company: SmallCompany) -> None:
    def guess(number: int) -> str:
        with app.app_context():
            return miss(NOW, address=f"192.0.2.{number}").code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(guess, range(16)))
    assert codes.count("wrong-credentials") == 5


def test_too_many_tries_are_told_in_the_callers_language(client: FlaskClient, company: SmallCompany) -> None:
    body = {"email": EMAIL, "password": "wrong"}
    for _ in range(5):
        problem(client.post("/api/v1/auth/login", json=body), 401, "wrong-credentials", "password")
    answer = client.post("/api/v1/auth/login", json=body, headers={"Accept-Language": "ru"})
    assert answer.headers["Retry-After"] in problem(answer, 429, "too-many-tries")["detail"]


def test_an_unknown_account_answers_like_a_wrong_password(client: FlaskClient, company: SmallCompany) -> None:
    answers = [
        client.post("/api/v1/auth/login", json={"email": email, "password": "wrong"}).json
        for email in (EMAIL, "nobody@small.example")
    ]
    assert answers[0] | {"request_id": ""} == answers[1] | {"request_id": ""}


# Sessions


@pytest.mark.usefixtures("inside")
def test_a_session_ends_by_itself_after_twelve_hours() -> None:
    token = sign_in(EMAIL, PASSWORD, address=None, now=NOW).token
    assert people.user_of_session(token_hash(token), NOW + ABSOLUTE - timedelta(seconds=1)) is not None
    assert people.user_of_session(token_hash(token), NOW + ABSOLUTE) is None
    assert timedelta(hours=12) == ABSOLUTE


def test_an_expired_session_answers_like_none(app: Flask, dispatcher: Office) -> None:
    with app.app_context():
        _expire()
    problem(dispatcher.get("/api/v1/visits"), 401, "unauthenticated")


@transactional
def _expire() -> None:
    for session in db.session.query(LoginSession):
        session.expires_at = datetime.now(UTC) - timedelta(seconds=1)


def test_signing_out_ends_this_session_and_no_other(client: FlaskClient, company: SmallCompany) -> None:
    first, second = company.sign_in(client, EMAIL), company.sign_in(client, EMAIL)
    assert first.token != second.token
    assert first.post("/api/v1/auth/logout").status_code == 204
    client.delete_cookie("rounds_session")
    problem(first.get("/api/v1/auth/me"), 401, "unauthenticated")
    assert second.get("/api/v1/auth/me").status_code == 200


def test_a_closed_account_is_out_at_once(app: Flask, dispatcher: Office, company: SmallCompany) -> None:
    with app.app_context():
        _close(EMAIL)
    problem(dispatcher.get("/api/v1/auth/me"), 401, "unauthenticated")
    answer = dispatcher.client.post("/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD})
    problem(answer, 401, "wrong-credentials")


@transactional
def _close(email: str) -> None:
    user = people.user_by_email(email)
    assert user is not None
    user.active = False


def test_only_the_hash_of_a_token_is_stored(app: Flask, dispatcher: Office) -> None:
    with app.app_context():
        [stored] = [session.token_hash for session in db.session.query(LoginSession)]
    assert stored == token_hash(dispatcher.token)
    assert len(dispatcher.token) >= 43


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client: FlaskClient, company: SmallCompany) -> None:
    body = {"email": EMAIL, "password": PASSWORD}
    plain = client.post("/api/v1/auth/login", json=body).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(plain.split("; "))
    assert "Secure" not in plain.split("; ")
    secure = client.post("/api/v1/auth/login", json=body, base_url="https://localhost").headers["Set-Cookie"]
    assert "Secure" in secure.split("; ")


CROSS_SITE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://[::1"},
    {"Origin": ""},
]


@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
def test_a_change_with_the_cookie_from_another_site_is_refused(
    client: FlaskClient, company: SmallCompany, headers: dict[str, str]
) -> None:
    company.sign_in(client, EMAIL)
    problem(client.patch("/api/v1/auth/me", json={"locale": "ru"}, headers=headers), 403, "cross-site")
    problem(client.post("/api/v1/auth/logout", headers=headers), 403, "cross-site")
    login = {"email": EMAIL, "password": PASSWORD}
    problem(client.post("/api/v1/auth/login", json=login, headers=headers), 403, "cross-site")
    assert client.get("/api/v1/auth/me").json["locale"] == "en"


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}], ids=str)
def test_a_change_with_the_cookie_from_our_own_page_is_taken(
    client: FlaskClient, company: SmallCompany, headers: dict[str, str]
) -> None:
    company.sign_in(client, EMAIL)
    assert client.patch("/api/v1/auth/me", json={"locale": "ru"}, headers=headers).status_code == 200


# Passwords


def test_passwords_are_hashed_with_the_agreed_argon2id(
    app: Flask, company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "hasher", PRODUCT_HASHER)
    parameters = extract_parameters(hash_password("correct horse battery"))
    assert (parameters.type.name, parameters.time_cost, parameters.memory_cost, parameters.parallelism) == (
        "ID", 2, 19 * 1024, 1,
    )  # fmt: skip
    with app.app_context():
        assert all(user.password_hash.startswith("$argon2id$") for user in db.session.query(User))
