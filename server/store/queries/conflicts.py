from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import orjson
from sqlalchemy import func, select

from schemas.entities import COLLECTIONS
from server.extensions import db
from server.store import rows
from server.store.models import Conflict, Device, Document, DocumentVersion, Mutation, Site, Technician, User, Visit

Version = tuple[str, int | None]
"""A document's id, and its version if there is one."""

NEAR = 500
"""How many of a tablet's numbers away a visit may be to count as where something happened."""


def lock(company_id: str, conflict_id: str) -> Conflict | None:
    """A conflict, locked until the commit."""
    statement = select(Conflict).where(Conflict.company_id == company_id, Conflict.id == conflict_id)
    return db.session.scalar(statement.with_for_update().execution_options(populate_existing=True))


def lock_all(company_id: str, ids: Iterable[str]) -> dict[str, Conflict]:
    """Conflicts by id, locked in id order until the commit; those that are not there are left out."""
    statement = select(Conflict).where(Conflict.company_id == company_id, Conflict.id.in_(sorted(set(ids))))
    locked = statement.order_by(Conflict.id).with_for_update().execution_options(populate_existing=True)
    return {one.id: one for one in db.session.scalars(locked)}


def documents_of(company_id: str, ids: Iterable[str]) -> dict[str, str]:
    """Which document each conflict is about, by the conflict's id."""
    statement = select(Conflict.id, Conflict.document_id).where(
        Conflict.company_id == company_id, Conflict.id.in_(list(ids))
    )
    return {row.id: row.document_id for row in db.session.execute(statement)}


def keep(entries: Sequence[Conflict]) -> None:
    """Write new entries of the log."""
    names = [column.name for column in Conflict.__table__.columns]
    found = [{name: getattr(entry, name) for name in names} for entry in entries]
    rows.insert(db.session(), Conflict.__table__, found, names=names)  # type: ignore[arg-type]


def open_situation(company_id: str, document_id: str, device_id: str, kind: str, field: str) -> Conflict | None:
    """The open entry of this kind that the same tablet has caused on a document before."""
    statement = select(Conflict).where(
        Conflict.company_id == company_id,
        Conflict.document_id == document_id,
        Conflict.device_id == device_id,
        Conflict.kind == kind,
        Conflict.field == field,
        Conflict.state == "open",
    )
    return db.session.scalar(statement.limit(1))


def open_count(company_id: str) -> int:
    """How many clashes wait for a person."""
    statement = select(func.count()).select_from(Conflict)
    return int(db.session.scalar(statement.where(Conflict.company_id == company_id, Conflict.state == "open")) or 0)


def open_by_visit(company_id: str, visit_ids: Iterable[str]) -> dict[str, int]:
    """Open clashes for each visit, those of its site counted too."""
    ids = list(visit_ids)
    statement = (
        select(Visit.id, func.count())
        .join(
            Conflict,
            (Conflict.company_id == Visit.company_id)
            & ((Conflict.document_id == Visit.id) | (Conflict.document_id == Visit.site_id)),
        )
        .where(Visit.company_id == company_id, Visit.id.in_(ids), Conflict.state == "open")
        .group_by(Visit.id)
    )
    return {row[0]: row[1] for row in db.session.execute(statement)} if ids else {}


def bodies(company_id: str, ids: Iterable[str]) -> dict[str, tuple[str, dict[str, object]]]:
    """Collection and wire form of documents by id."""
    statement = select(Document.id, Document.collection, Document.body).where(
        Document.company_id == company_id, Document.id.in_(list(ids))
    )
    return {
        row.id: (row.collection, COLLECTIONS[row.collection].whole(orjson.loads(row.body)))
        for row in db.session.execute(statement)
    }


def versions_of(company_id: str, ids: Iterable[str]) -> dict[str, int]:
    """The version in force of each document by id."""
    statement = select(Document.id, Document.version).where(
        Document.company_id == company_id, Document.id.in_(list(ids))
    )
    return {row.id: row.version for row in db.session.execute(statement)}


def devices(company_id: str, ids: Iterable[str]) -> dict[str, Device]:
    statement = select(Device).where(Device.company_id == company_id, Device.id.in_(list(ids)))
    return {row.id: row for row in db.session.scalars(statement)}


def visits_of_mutations(company_id: str, mutation_ids: Iterable[str]) -> dict[str, Visit]:
    """For each mutation of a site or asset the visit that the same tablet wrote nearest to it: where it happened."""
    asked = select(Mutation.id, Mutation.device_id, Mutation.n).where(
        Mutation.company_id == company_id, Mutation.id.in_(list(mutation_ids))
    )
    numbers = {row.id: (row.device_id, row.n) for row in db.session.execute(asked)}
    if not numbers:
        return {}
    every = [n for _, n in numbers.values()]
    near = select(Mutation.device_id, Mutation.n, Mutation.document_id).where(
        Mutation.company_id == company_id,
        Mutation.device_id.in_({device for device, _ in numbers.values()}),
        Mutation.collection == "visit",
        Mutation.n.between(min(every) - NEAR, max(every) + NEAR),
    )
    written: dict[str, list[tuple[int, str]]] = {}
    for row in db.session.execute(near):
        if row.document_id:
            written.setdefault(row.device_id, []).append((row.n, row.document_id))
    nearest = {
        mutation_id: min(written[device], key=lambda one: (abs(one[0] - n), one))[1]
        for mutation_id, (device, n) in numbers.items()
        if device in written
    }
    statement = select(Visit).where(Visit.company_id == company_id, Visit.id.in_(set(nearest.values())))
    visits = {visit.id: visit for visit in db.session.scalars(statement)}
    return {mutation_id: visits[visit_id] for mutation_id, visit_id in nearest.items() if visit_id in visits}


def version_times(
    company_id: str, versions: Iterable[tuple[str, int | None]]
) -> dict[tuple[str, int | None], datetime]:
    """When each of these versions of documents was written."""
    wanted = {(document_id, version) for document_id, version in versions if version}
    statement = select(DocumentVersion.document_id, DocumentVersion.version, DocumentVersion.at).where(
        DocumentVersion.company_id == company_id,
        DocumentVersion.document_id.in_({document_id for document_id, _ in wanted}),
        DocumentVersion.version.in_({version for _, version in wanted}),
    )
    return {(row.document_id, row.version): row.at for row in db.session.execute(statement)} if wanted else {}


def base_versions(company_id: str, mutation_ids: Iterable[str]) -> dict[str, int | None]:
    """The version that each mutation was based on."""
    statement = select(Mutation.id, Mutation.payload).where(
        Mutation.company_id == company_id, Mutation.id.in_(list(mutation_ids))
    )
    return {row.id: row.payload.get("base_version") for row in db.session.execute(statement)}


def user_names(company_id: str, ids: Iterable[str]) -> dict[str, str]:
    statement = select(User.id, User.name).where(User.company_id == company_id, User.id.in_(list(ids)))
    return {row.id: row.name for row in db.session.execute(statement)}


def sites(company_id: str, ids: Iterable[str]) -> dict[str, Site]:
    statement = select(Site).where(Site.company_id == company_id, Site.id.in_(list(ids)))
    return {site.id: site for site in db.session.scalars(statement)}


def site_names(company_id: str, ids: Iterable[str]) -> dict[str, str]:
    return {site_id: site.name for site_id, site in sites(company_id, ids).items()}


def of_technician(company_id: str, technician_id: str, since: datetime, most: int) -> list[Conflict]:
    """The clashes that this technician's edits met with, on whichever tablet, newest first."""
    statement = (
        select(Conflict)
        .join(Mutation, (Mutation.company_id == Conflict.company_id) & (Mutation.id == Conflict.mutation_id))
        .join(Device, (Device.company_id == Mutation.company_id) & (Device.id == Mutation.device_id))
        .where(Conflict.company_id == company_id, Device.technician_id == technician_id, Conflict.created_at >= since)
        .order_by(Conflict.created_at.desc(), Conflict.id.desc())
        .limit(most)
    )
    return list(db.session.scalars(statement))


def is_of_technician(company_id: str, conflict_id: str, technician_id: str) -> bool:
    """Whether an edit of this technician met with this clash."""
    statement = (
        select(Conflict.id)
        .join(Mutation, (Mutation.company_id == Conflict.company_id) & (Mutation.id == Conflict.mutation_id))
        .join(Device, (Device.company_id == Mutation.company_id) & (Device.id == Mutation.device_id))
        .where(Conflict.company_id == company_id, Conflict.id == conflict_id, Device.technician_id == technician_id)
    )
    return db.session.scalar(statement) is not None


def technician_names(company_id: str, ids: Iterable[str]) -> dict[str, str]:
    """Names of technicians by id."""
    statement = select(Technician.id, Technician.name).where(
        Technician.company_id == company_id, Technician.id.in_(list(ids))
    )
    return {row.id: row.name for row in db.session.execute(statement)}
