"""Copies of an SQLite database: `VACUUM INTO`, for the stepped backup never ends under writes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, NullPool, create_engine

from server.store.backup.copies import CannotCopy, Prepare, Stand, keep, stands

WAIT_S = 60


class SqliteCopies:
    """Copies of one SQLite file."""

    suffix = ".db"

    def __init__(self, engine: Engine) -> None:
        self.path = str(engine.url.database)

    def make(self, target: Path) -> None:
        try:
            with closing(sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None)) as connection:
                connection.execute("VACUUM INTO ?", (str(target),))
        except sqlite3.Error as error:
            target.unlink(missing_ok=True)
            raise CannotCopy(f"SQLite could not write the copy: {error}") from error

    def read(self, copy: Path) -> dict[str, Stand]:
        try:
            with closing(sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True)) as connection:
                found = connection.execute("PRAGMA integrity_check(5)").fetchall()
                broken = connection.execute("PRAGMA foreign_key_check").fetchmany(5)
        except sqlite3.Error as error:
            raise CannotCopy(f"{copy.name} is no database: {error}") from error
        if found != [("ok",)] or broken:
            raise CannotCopy(f"{copy.name} is not whole: {found} {broken}")
        return stands(create_engine(f"sqlite:///file:{copy}?mode=ro&immutable=1&uri=true", poolclass=NullPool))

    def put_back(self, copy: Path, prepare: Prepare, aside: Path) -> str:
        kept = aside / f"before-restore-{copy.stem}.db"
        with TemporaryDirectory(dir=aside) as folder:
            staged = Path(folder) / "staged.db"
            with closing(sqlite3.connect(copy)) as source, closing(sqlite3.connect(staged)) as target:
                source.backup(target)
            engine = create_engine(f"sqlite:///{staged}", poolclass=NullPool)
            prepare(engine)
            present = Path(folder) / "present.db"
            self.make(present)
            keep(present, kept)
            with (
                closing(sqlite3.connect(staged)) as source,
                closing(sqlite3.connect(self.path, timeout=WAIT_S)) as target,
            ):
                # In one transaction of the target: who reads sees the old or the new, and no file changes its name.
                target.execute("PRAGMA synchronous=FULL")
                source.backup(target, pages=-1)
        return str(kept)
