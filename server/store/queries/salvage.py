from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select

from server.extensions import db
from server.store.models import Mutation, Salvage


def salvage(company_id: str, salvage_id: str) -> Salvage | None:
    return db.session.get(Salvage, (company_id, salvage_id))


def lock_salvage(company_id: str, salvage_id: str) -> Salvage | None:
    """One piece of salvage, locked until the commit."""
    statement = select(Salvage).where(Salvage.company_id == company_id, Salvage.id == salvage_id)
    return db.session.scalar(statement.with_for_update().execution_options(populate_existing=True))


def same(company_id: str, device_id: str, sha256: str) -> Salvage | None:
    """The piece of a tablet that holds these very mutations, if it came before."""
    statement = select(Salvage).where(
        Salvage.company_id == company_id, Salvage.device_id == device_id, Salvage.sha256 == sha256
    )
    return db.session.scalar(statement.limit(1))


def bytes_of(company_id: str, device_id: str) -> int:
    """How many bytes are kept of a tablet."""
    statement = select(func.sum(Salvage.size)).where(Salvage.company_id == company_id, Salvage.device_id == device_id)
    return int(db.session.scalar(statement) or 0)


def waiting(company_id: str, device_ids: Iterable[str]) -> dict[str, int]:
    """How many pieces of each tablet wait for a decision."""
    statement = (
        select(Salvage.device_id, func.count())
        .where(Salvage.company_id == company_id, Salvage.device_id.in_(list(device_ids)), Salvage.state == "waiting")
        .group_by(Salvage.device_id)
    )
    return {row[0]: row[1] for row in db.session.execute(statement)}


def statuses(company_id: str, mutation_ids: Iterable[str]) -> dict[str, str]:
    """What became of those mutations that came by another way."""
    statement = select(Mutation.id, Mutation.status).where(
        Mutation.company_id == company_id, Mutation.id.in_(list(mutation_ids))
    )
    return {row[0]: row[1] for row in db.session.execute(statement)}
