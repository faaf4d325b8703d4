"""Documents on their way in: what is shared is written once, what is stored follows the schemas."""

from __future__ import annotations

import threading

import orjson
from flask import Flask
from sqlalchemy import func, select, update

from server.actions.refresh_documents import refresh_documents
from server.extensions import db
from server.store import documents
from server.store.models import Coverage, Document, DocumentVersion, ScopeFeed, Visit
from server.store.transaction import transactional
from tests.builders import SmallCompany, publish
from tests.tablets import enrol


def count(model: type, **values: object) -> int:
    return db.session.scalar(select(func.count()).select_from(model).filter_by(**values)) or 0


def test_visits_that_are_decided_alike_share_the_decision(app: Flask, company: SmallCompany) -> None:
    with app.app_context():
        visits = [company.visit(site_id=site, kind="repair_minor") for site in (*company.sites, company.sites[0])]
        for visit in visits:
            publish(company.id, visit, company.anna)
        decided = {db.session.get(Visit, (company.id, visit)).coverage_id for visit in visits}  # type: ignore[union-attr]
        assert len(decided) == 1
        assert count(Coverage) == count(Document, collection="coverage") == 1
        assert count(DocumentVersion, document_id=decided.copy().pop()) == 1
    anna = enrol(app, company.id, company.anna)
    anna.read()
    assert decided <= anna.ids
    assert anna.body(decided.pop())["outcome"] == "paid"


def test_a_decision_that_no_visit_there_shares_any_more_leaves_the_tablet(app: Flask, company: SmallCompany) -> None:
    """S-11: it stays as long as one visit of the tablet refers to it."""
    with app.app_context():
        visits = [company.visit(kind="repair_minor") for _ in range(2)]
        for visit in visits:
            publish(company.id, visit, company.anna)
        decided = db.session.get(Visit, (company.id, visits[0])).coverage_id  # type: ignore[union-attr]
        scope = f"technician:{company.anna}"
        for visit, live in ((visits[0], True), (visits[1], False)):
            publish(company.id, visit, company.boris)
            assert db.session.get(ScopeFeed, (company.id, scope, decided), populate_existing=True).live is live  # type: ignore[union-attr]


def test_two_who_lay_the_same_shared_document_at_once_both_succeed(app: Flask, company: SmallCompany) -> None:
    both = threading.Barrier(2, timeout=60)
    done: list[str] = []

    @transactional
    def lay(visit_id: str) -> None:
        visit = db.session.get(Visit, (company.id, visit_id))
        assert visit is not None
        body = {
            "id": shared, "outcome": "free", "reason": {}, "currency": "EUR", "decided_for": "2026-11-25",
        }  # fmt: skip
        documents.lay(company.id, "coverage", shared, body)
        visit.coverage_id = shared

    def run(visit_id: str) -> None:
        with app.app_context():
            both.wait()
            lay(visit_id)
            done.append(visit_id)

    shared = "5f0c7c4e-52a4-5a4e-9d5c-000000000001"
    with app.app_context():
        visits = [company.visit() for _ in range(2)]
        for visit in visits:
            publish(company.id, visit, company.anna)
    threads = [threading.Thread(target=run, args=(visit,)) for visit in visits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted(visits)
    with app.app_context():
        assert count(Coverage, id=shared) == count(Document, id=shared) == 1
    anna = enrol(app, company.id, company.anna)
    anna.read()
    assert shared in anna.ids


def test_a_refresh_brings_documents_to_the_form_of_today_and_leaves_the_others_alone(
    app: Flask, company: SmallCompany
) -> None:
    @transactional
    def grow_old() -> None:
        old = orjson.dumps(orjson.loads(kept()) | {"cancel_reason": None, "gone_field": 1}).decode()
        db.session.execute(update(Document).where(Document.id == visit).values(body=old.replace("Preventive", "Old")))

    def kept() -> str:
        return str(db.session.scalar(select(Document.body).where(Document.id == visit)))

    with app.app_context():
        visit = company.visit()
        today = kept()
        before = count(DocumentVersion)
        assert list(refresh_documents())
        assert count(DocumentVersion) == before
        grow_old()
        for _ in range(2):
            list(refresh_documents())
            assert kept() == today
            assert count(DocumentVersion) == before + 1
