"""Problems that depend on what is there: others' documents, versions, states, a database that is away."""

from __future__ import annotations

import uuid
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.extensions import db
from server.store import engine
from tests.api.conftest import NOBODY, AtWork, Neighbour, problem
from tests.builders import Office, SmallCompany, publish


@pytest.fixture
def visit(app: Flask, company: SmallCompany) -> str:
    with app.app_context():
        return company.visit()


def test_another_companys_document_answers_like_one_that_never_was(
    app: Flask, client: FlaskClient, at_work: AtWork, neighbour: Neighbour, company: SmallCompany
) -> None:
    stranger = company.sign_in(client, "dispatcher@other.example")
    theirs = {
        "visits": at_work.published, "sites": company.sites[0], "assets": company.assets[0], "plans": at_work.plan,
        "customers": company.customer, "technicians": company.anna, "branches": company.branch,
        "devices": at_work.tablet.device_id, "conflicts": at_work.conflict,
    }  # fmt: skip
    calls = [("get", f"/{path}/{{}}", item, None) for path, item in theirs.items()]
    calls += [("patch", f"/{path}/{{}}", theirs[path], {}) for path in ("visits", "sites", "assets", "customers")]
    calls += [
        ("post", "/visits/{}/cancel", at_work.published, {"reason": "x"}),
        ("get", "/visits/{}/history", at_work.published, None),
        ("get", "/visits/{}/options?date=2026-11-25", at_work.published, None),
        ("get", "/plans/{}/changes", at_work.plan, None),
        ("post", "/plans/{}/publish", at_work.plan, None),
        ("delete", "/plans/{}", at_work.plan, None),
        ("post", "/conflicts/{}/resolve", at_work.conflict, {"choice": "mine"}),
        ("post", "/conflicts/{}/undo", at_work.conflict, None),
        ("post", "/devices/{}/revoke", at_work.tablet.device_id, None),
        ("get", "/board?date=2026-11-25&branch_id={}", company.branch, None),
    ]
    for method, path, item, body in calls:
        answers = [
            problem(getattr(stranger, method)(f"/api/v1{path.format(one)}", json=body), 404, "not-found")
            for one in (item, NOBODY)
        ]
        first, second = ({k: v for k, v in one.items() if k != "request_id"} for one in answers)
        assert first == second, path


def test_technician_sees_own_published_visits_only(
    app: Flask, client: FlaskClient, at_work: AtWork, company: SmallCompany
) -> None:
    boris = company.sign_in(client, "boris@small.example")
    assert boris.get("/api/v1/visits").json["items"] == []
    mine = problem(boris.get(f"/api/v1/visits/{at_work.published}"), 404, "not-found")
    gone = problem(boris.get(f"/api/v1/visits/{NOBODY}"), 404, "not-found")
    assert mine | {"request_id": ""} == gone | {"request_id": ""}
    anna = company.sign_in(client, "anna@small.example")
    assert {item["id"] for item in anna.get("/api/v1/visits").json["items"]} == {at_work.published, at_work.done}
    with app.app_context():
        publish(company.id, at_work.published, None)
    problem(anna.get(f"/api/v1/visits/{at_work.published}"), 404, "not-found")


@pytest.mark.parametrize("tag", ['"1"', '"1:gzip"', 'W/"1"', "*"])
def test_change_of_the_version_in_force_is_taken(dispatcher: Office, visit: str, tag: str) -> None:
    answer = dispatcher.patch(f"/api/v1/visits/{visit}", json={"title": "x"}, headers={"If-Match": tag})
    assert answer.status_code == 200
    assert answer.json["version"] == 2


def test_search_ignores_case_in_every_alphabet(dispatcher: Office, company: SmallCompany) -> None:
    dispatcher.patch(f"/api/v1/sites/{company.sites[0]}", json={"name": "Отель «Ёлка»"})
    for text in ("отель", "ОТЕЛЬ", "ёлка"):
        assert len(dispatcher.get("/api/v1/sites", query_string={"q": text}).json["items"]) == 1, text


def test_without_a_wish_problems_speak_the_persons_language(dispatcher: Office) -> None:
    assert dispatcher.patch("/api/v1/auth/me", json={"locale": "ru"}).status_code == 200
    assert problem(dispatcher.get(f"/api/v1/visits/{NOBODY}"), 404, "not-found")["title"] == "Не найдено"


def test_states_are_told_in_words(dispatcher: Office, at_work: AtWork) -> None:
    path = f"/api/v1/visits/{at_work.done}/cancel"
    english = problem(dispatcher.post(path, json={"reason": "x"}), 409, "state-move", "plan_state")
    assert "published" in english["title"]
    russian = dispatcher.post(path, json={"reason": "x"}, headers={"Accept-Language": "ru"}).json
    assert "опубликован" in russian["title"]
    assert "выполнена" in russian["detail"]


def test_database_that_is_away_answers_503_and_heals(
    app: Flask, dispatcher: Office, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    if database_url.startswith("sqlite"):
        path = tmp_path / "rounds.db"
        away = path.rename(tmp_path / "away.db")
        path.mkdir()
    else:
        name = database_url.partition("?")[0].rsplit("/", 1)[1]
        other = f"away_{uuid.uuid4().hex}"
        with psycopg.connect(request.getfixturevalue("postgresql_server"), autocommit=True) as server:
            server.execute(f"ALTER DATABASE {name} RENAME TO {other}")
    for answer in (
        dispatcher.get("/api/v1/visits"),
        dispatcher.patch("/api/v1/auth/me", json={"locale": "ru"}),
        dispatcher.client.post("/api/v1/auth/login", json={"email": "a@b.example", "password": "x"}),
        dispatcher.client.get("/healthz"),
    ):
        problem(answer, 503, "database-away")
        assert answer.headers["Retry-After"] == "5"
    if database_url.startswith("sqlite"):
        path.rmdir()
        away.rename(path)
    else:
        with psycopg.connect(request.getfixturevalue("postgresql_server"), autocommit=True) as server:
            server.execute(f"ALTER DATABASE {other} RENAME TO {name}")
    assert dispatcher.get("/api/v1/visits").status_code == 200


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_connections_cut_by_the_server_are_replaced_unseen(
    dispatcher: Office, database_url: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ASKED_AFTER_S", 0.0)
    name = database_url.partition("?")[0].rsplit("/", 1)[1]
    assert dispatcher.get("/api/v1/visits").status_code == 200
    with psycopg.connect(request.getfixturevalue("postgresql_server"), autocommit=True) as server:
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    assert dispatcher.get("/api/v1/visits").status_code == 200


@pytest.mark.parametrize("database_url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_a_connection_cut_a_moment_after_its_use_costs_one_answer_at_most(
    dispatcher: Office, database_url: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ASKED_AFTER_S", 3600.0)
    name = database_url.partition("?")[0].rsplit("/", 1)[1]
    assert dispatcher.get("/api/v1/visits").status_code == 200
    with psycopg.connect(request.getfixturevalue("postgresql_server"), autocommit=True) as server:
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    problem(dispatcher.get("/api/v1/visits"), 503, "database-away")
    assert dispatcher.get("/api/v1/visits").status_code == 200
