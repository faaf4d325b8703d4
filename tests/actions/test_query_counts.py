"""However much there is to show, the database is asked as often: nothing is asked for row by row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import event

from server.actions.plan_routes import plan_routes
from server.actions.publish_plan import publish_plan
from server.actions.read_board import read_board
from server.extensions import db
from server.store.models import Conflict, Device, Technician
from server.store.transaction import transactional
from server.store.types import new_id
from tests.builders import Office, SmallCompany, publish

DAY = datetime.now(UTC).date() + timedelta(days=7)
NOON = datetime(DAY.year, DAY.month, DAY.day, 11, tzinfo=UTC)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that the database is asked inside."""
    asked: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def grown(company: SmallCompany, count: int) -> None:
    """So many more technicians with tablets and a visit each, and as many that are nobody's."""
    for number, technician in enumerate(_people(company, count)):
        publish(company.id, company.visit(asset_ids=[company.assets[number % 3]]), technician, NOON)
        company.visit(site_id=company.sites[number % 3])


@transactional
def _people(company: SmallCompany, count: int) -> list[str]:
    anna = db.session.get(Technician, (company.id, company.anna))
    assert anna is not None
    ids = [new_id() for _ in range(count)]
    for one in ids:
        db.session.add(
            Technician(
                company_id=company.id, id=one, branch_id=company.branch, name=f"T{one}", skills=[], shifts=anna.shifts,
                home_lat=42.5, home_lon=1.5, start_from="home", max_overtime_minutes=0, active=True,
            )
        )  # fmt: skip
        db.session.flush()
        db.session.add(
            Device(
                company_id=company.id, id=new_id(), technician_id=one, name="Tab", schema_version=1,
                token_hash=one.replace("-", "") * 2, enrolled_at=NOON, last_n=3,
                missing=[[1, 3]],
            )
        )  # fmt: skip
    return ids


def test_a_board_of_many_asks_as_often_as_a_board_of_few(app: Flask, company: SmallCompany) -> None:
    counts = []
    for more in (1, 7):
        with app.app_context():
            grown(company, more)
        with app.app_context(), counted() as asked:
            board = read_board(company.id, DAY, company.branch, now=NOON, locale="en")
        counts.append(len(asked))
    assert len(board["visits"]) == 8
    # Three numbers are missing, and a visit may have begun.
    assert [one["device"]["unsent"] for one in board["technicians"] if one["device"]["state"] != "never"] == [4] * 8
    assert counts[1] <= counts[0] <= 20


def test_a_fleet_of_many_asks_as_often_as_a_fleet_of_few(app: Flask, company: SmallCompany, dispatcher: Office) -> None:
    counts = []
    for more in (1, 7):
        with app.app_context():
            grown(company, more)
            with counted() as asked:
                items = dispatcher.get("/api/v1/devices").json["items"]
        counts.append(len(asked))
    assert len(items) == 8
    assert counts[1] <= counts[0]


def test_publishing_many_asks_as_often_as_publishing_few(app: Flask, company: SmallCompany) -> None:
    counts = []
    for offset, more in enumerate((1, 5)):
        day = DAY + timedelta(days=1 + offset)
        with app.app_context():
            for number in range(more):
                company.visit(site_id=company.sites[number % 3], asset_ids=[company.assets[number % 3]])
            [plan] = plan_routes(
                company.id, first=day, days=1, branch_id=company.branch, seconds=0.2, seed=1, user_id=None,
                now=datetime.now(UTC),
            )  # fmt: skip
        with app.app_context(), counted() as asked:
            publish_plan(company.id, plan, now=NOON)
        # Writes are one statement for each table; SQLAlchemy batches them by the columns that changed.
        counts.append(len([one for one in asked if one.lstrip().upper().startswith("SELECT")]))
    assert counts[1] <= counts[0]


def test_an_inbox_of_many_asks_as_often_as_one_of_few(app: Flask, company: SmallCompany, dispatcher: Office) -> None:
    counts = []
    for more in (1, 6):
        with app.app_context():
            _clashes(company, more)
            with counted() as asked:
                items = dispatcher.get("/api/v1/conflicts").json["items"]
        counts.append(len(asked))
    assert len(items) == 7
    assert counts[1] <= counts[0]


@transactional
def _clashes(company: SmallCompany, count: int) -> None:
    for _ in range(count):
        db.session.add(
            Conflict(
                company_id=company.id, id=new_id(), collection="site", document_id=company.sites[0],
                field="access_note", kind="value", clash_class="soft", policy="technician", base="a", mine="b",
                theirs="c", chosen="mine", value="b", created_at=NOON, state="open", mine_by="Anna",
                reason={"code": "technician-on-site", "params": {}},
            )
        )  # fmt: skip
