"""What a copy of a database is, whatever the database."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, TableClause, column, func, select, table

from server.store.files import sync_folder
from server.store.types import IdType


class CannotCopy(RuntimeError):
    """A copy could not be made, or is not whole; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Stand:
    """How far one company is in a copy: its history, its newest feed number, and how many rows were counted."""

    epoch: str
    seq: int
    versions: int
    mutations: int


Prepare = Callable[[Engine], None]
"""What is done with a copy before it takes the database's place."""


class Copies(Protocol):
    """Copies of one database."""

    suffix: str

    def make(self, target: Path) -> None:
        """Write a copy, as of one moment, to a file that is not there yet. Raises CannotCopy."""

    def read(self, copy: Path) -> dict[str, Stand]:
        """How far each company is in a copy, after it was read back whole. Raises CannotCopy for a broken one."""

    def put_back(self, copy: Path, prepare: Prepare, aside: Path) -> str:
        """Put a copy in the database's place under whoever works on it; returns where the present one is kept.

        `prepare` changes it before anybody sees it. Raises CannotCopy; then the database is as it was.
        """


_company = table("company", column("id", IdType), column("epoch"))
_clock = table("sync_clock", column("company_id", IdType), column("n"))
_version = table("document_version", column("company_id", IdType))
_mutation = table("mutation", column("company_id", IdType))


def stands(engine: Engine) -> dict[str, Stand]:
    """How far each company of a database is."""
    with engine.connect() as connection:
        versions, mutations = _counts(connection, _version), _counts(connection, _mutation)
        rows = connection.execute(
            select(_company.c.id, _company.c.epoch, _clock.c.n).join(_clock, _clock.c.company_id == _company.c.id)
        )
        return {
            company_id: Stand(
                epoch=epoch, seq=seq, versions=versions.get(company_id, 0), mutations=mutations.get(company_id, 0)
            )
            for company_id, epoch, seq in rows
        }


def _counts(connection: Connection, of: TableClause) -> dict[str, int]:
    rows = connection.execute(select(of.c.company_id, func.count()).group_by(of.c.company_id))
    return {row[0]: row[1] for row in rows}


def keep(written: Path, target: Path) -> None:
    """Give a written file its name, durably."""
    with written.open("rb") as file:
        os.fsync(file.fileno())
    written.replace(target)
    sync_folder(target.parent)
