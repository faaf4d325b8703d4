"""A replica proves that it is whole and repairs just what is not, without a resync."""

from __future__ import annotations

import copy
import uuid
from typing import Any

from flask import Flask

from schemas.entities.base import EVERYONE, technician_scope
from server.extensions import db
from server.store.models import DocumentDigest, ScopeFeed, Site
from server.store.transaction import transactional
from sync.feed import Cursor, decode
from tests.builders import Office, SmallCompany, change, publish
from tests.tablets import Tablet, enrol


def ready(app: Flask, company: SmallCompany, visits: int = 3) -> Tablet:
    """Anna's tablet with some visits, read to the end."""
    with app.app_context():
        for n in range(visits):
            publish(company.id, company.visit(site_id=company.sites[n % 3]), company.anna)
    tablet = enrol(app, company.id, company.anna)
    tablet.read()
    return tablet


class Counting:
    """The tablet's transport, with the paths that were asked for."""

    def __init__(self, tablet: Tablet) -> None:
        self.inner = tablet.transport
        self.paths: list[str] = []
        tablet.transport = self

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        self.paths.append(path.partition("?")[0])
        return self.inner(method, path, body)


def test_a_flipped_bit_a_lost_document_and_a_stranger_are_repaired_without_a_resync(
    app: Flask, company: SmallCompany
) -> None:
    """S-147, S-149, S-150: also a version that is not the right one, and a document under a wrong collection."""
    tablet = ready(app, company)
    assert tablet.verify().whole
    right = copy.deepcopy(tablet.state.documents)
    held = tablet.state.documents
    visits = sorted(each for each, one in held.items() if one["collection"] == "visit")
    held[company.sites[0]]["document"]["access_note"] += "!"
    held[company.sites[1]]["version"] += 7
    held[company.customer]["collection"] = "visit"
    del held[visits[0]]
    stranger = str(uuid.uuid4())
    held[stranger] = {"collection": "site", "version": 1, "document": {"id": stranger, "name": "Elsewhere"}}
    tablet.change(visits[1], set={"work_summary": "Unsent"})
    cursor, asked = tablet.state.cursor, Counting(tablet)
    found = tablet.verify()
    assert found.whole
    assert set(found.repaired) == {company.sites[0], company.sites[1], company.customer, visits[0]}
    assert found.strangers == [stranger]
    assert tablet.state.documents == right
    assert (tablet.state.cursor, len(tablet.unsent())) == (cursor, 1)
    assert asked.paths.count("/sync/v1/documents") == 1


def test_a_check_sees_each_edit_of_the_office_and_of_the_tablet(app: Flask, company: SmallCompany) -> None:
    """S-147: checksums that were kept from the last time are worked out anew for what changed, and only for that."""
    tablet = ready(app, company)
    assert tablet.verify().whole
    with app.app_context():
        kept = {row.document_id: row.seq for row in db.session.query(DocumentDigest)}
        change(Site, company.id, company.sites[0], access_note="Side door")
    tablet.change(next(iter(tablet.ids & _visits(tablet))), set={"work_summary": "Done"})
    tablet.sync()
    assert tablet.verify().whole
    with app.app_context():
        again = {row.document_id: row.seq for row in db.session.query(DocumentDigest)}
    assert len({each for each in again if again[each] != kept.get(each)}) == 2


def _visits(tablet: Tablet) -> set[str]:
    return {each for each, one in tablet.state.documents.items() if one["collection"] == "visit"}


def test_a_replica_that_is_behind_is_told_to_pull_first(app: Flask, company: SmallCompany) -> None:
    """S-147: news elsewhere in the company does not count."""
    tablet = ready(app, company, visits=1)
    cursor = tablet.state.cursor
    with app.app_context():
        publish(company.id, company.visit(), company.boris)
    status, answer = tablet.transport("GET", f"/sync/v1/digest?cursor={cursor}")
    assert (status, answer["behind"], set(answer)) == (200, False, {"cursor", "behind", "collections"})
    with app.app_context():
        publish(company.id, company.visit(), company.anna)
    assert tablet.transport("GET", f"/sync/v1/digest?cursor={cursor}")[1] == {
        "behind": True,
        "cursor": tablet.transport("GET", "/sync/v1/digest")[1]["cursor"],
    }
    assert tablet.verify().whole


def test_a_document_in_two_scopes_counts_once(app: Flask, company: SmallCompany) -> None:
    """S-147: both scopes of the tablet hold the same document."""
    tablet = ready(app, company)
    before = tablet.transport("GET", "/sync/v1/digest")[1]["collections"]

    @transactional
    def put_into_both() -> None:
        own = technician_scope(company.anna)
        for row in db.session.query(ScopeFeed).filter_by(company_id=company.id, scope=own).all():
            db.session.merge(
                ScopeFeed(
                    company_id=company.id, scope=EVERYONE, document_id=row.document_id, collection=row.collection,
                    seq=row.seq, live=row.live,
                )
            )  # fmt: skip

    with app.app_context():
        put_into_both()
    assert tablet.transport("GET", "/sync/v1/digest")[1]["collections"] == before


def test_documents_of_others_are_answered_like_those_that_do_not_exist(app: Flask, company: SmallCompany) -> None:
    """S-149 (law 5): Boris's visit, a random id, and one that left."""
    tablet = ready(app, company, visits=1)
    with app.app_context():
        other = company.visit()
        publish(company.id, other, company.boris)
    (visit,) = _visits(tablet)
    with app.app_context():
        publish(company.id, visit, company.boris)
    nobody = str(uuid.uuid4())
    status, answer = tablet.transport("GET", f"/sync/v1/documents?ids={other},{nobody},{visit},{company.model}")
    assert status == 200
    *gone, model = answer["changes"]
    for each, change_of in zip((other, nobody, visit), gone, strict=True):
        assert change_of == {
            "collection": None, "id": each, "op": "drop", "version": None, "reason": "not-needed",
        }  # fmt: skip
    assert (model["op"], model["id"], model["collection"]) == ("put", company.model, "product_model")
    many = ",".join(str(uuid.uuid4()) for _ in range(51))
    assert tablet.transport("GET", f"/sync/v1/documents?ids={many}")[0] == 422
    assert tablet.transport("GET", "/sync/v1/documents?ids=x")[0] == 422
    assert tablet.transport("GET", "/sync/v1/digest?collection=visit&buckets=zz")[0] == 422


def test_a_digest_says_nothing_of_what_is_outside(app: Flask, company: SmallCompany, dispatcher: Office) -> None:
    """S-149 (law 5): what happens in Boris's scope does not move Anna's checksums."""
    tablet = ready(app, company)
    before = tablet.transport("GET", "/sync/v1/digest")[1]["collections"]
    with app.app_context():
        publish(company.id, company.visit(), company.boris)
    assert tablet.transport("GET", "/sync/v1/digest")[1]["collections"] == before
    assert dispatcher.get("/sync/v1/digest").status_code == 401


def test_a_cursor_of_another_history_proves_nothing(app: Flask, company: SmallCompany) -> None:
    """S-147"""
    tablet = ready(app, company)
    known = decode(tablet.state.cursor or "")
    status, answer = tablet.transport("GET", f"/sync/v1/digest?cursor={Cursor(seq=known.seq, epoch='0').encode()}")
    assert (status, answer["code"]) == (410, "epoch-changed")
    assert tablet.transport("GET", "/sync/v1/digest?cursor=x")[1]["code"] == "bad-cursor"
