"""That something was committed, told to whoever waits: in this process at once, in others within a moment.

What counts is each company's feed number. On PostgreSQL a process that committed tells the others by NOTIFY, from a
thread and a transaction of its own: inside the writing one it would make all commits wait for each other. On SQLite,
and wherever a notification was lost, the counters are looked at: whether any connection has written costs one pragma.
"""

from __future__ import annotations

import logging
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from flask import Flask, current_app
from sqlalchemy import event, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.orm.unitofwork import UOWTransaction

from server.extensions import db
from server.store import feed, rows
from server.store.models import (
    Company,
    Conflict,
    Device,
    DeviceNotice,
    DeviceScope,
    LoginSession,
    Mutation,
    RoutePlan,
    Salvage,
    ScopeFeed,
    SyncClock,
    Technician,
    User,
)

CHANNEL = "rounds_news"
GATHERED_S = 0.05
"""What several commits have to tell within so short a time is told once."""
IDLE_S = 10.0
"""A process that has told nothing for so long gives its connection back."""
LOOKED_EVERY_S = 0.25
"""How often SQLite is asked whether anybody has written."""
LOOKED_ANYWAY_S = 2.0
"""How often the counters are read whatever was or was not notified."""

FOR_THE_OFFICE = "for-the-office"

log = logging.getLogger(__name__)


class Teller:
    """Tells other processes which companies have news. One thread, started with the first news, never waited for."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._waiting: set[str] = set()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self.watch: Watch | None = None

    def tell(self, companies: Iterable[str]) -> None:
        """Committed: these companies have news. Returns at once and raises nothing."""
        if self.watch is not None:
            self.watch.nudge()
        if self._app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
            return
        with self._wake:
            self._waiting |= set(companies)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="news teller", daemon=True)
                self._thread.start()
                if not event.contains(db.engine, "engine_disposed", self.end):
                    event.listen(db.engine, "engine_disposed", self.end)
            self._wake.notify()

    def end(self, engine: object = None) -> None:
        """Tell what is waiting and give the connection back: nobody uses the database any more."""
        with self._wake:
            thread = self._thread
            self._ended.set()
            self._wake.notify()
        if thread is not None:
            thread.join(IDLE_S)
        self._ended.clear()

    def _run(self) -> None:
        connection: Any = None
        while (companies := self._next()) is not None:
            try:
                connection = connection or _own_connection(self._app)
                for company_id in companies:
                    connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, company_id))
            except Exception as error:  # noqa: BLE001 - whatever it was, the others look at the counters anyway
                log.info("news could not be told: %s", error)
                _close(connection)
                connection = None
            self._ended.wait(GATHERED_S)
        _close(connection)

    def _next(self) -> set[str] | None:
        """Companies that have news; None after a while without any, when the thread ends until it is needed again."""
        with self._wake:
            if not self._waiting and not self._ended.is_set():
                self._wake.wait(IDLE_S)
            companies, self._waiting = self._waiting, set()
            if not companies:
                self._thread = None
            return companies or None


class Watch:
    """Hears of news from all processes. All calls come from one thread of its own, until `stop`.

    `heard(companies)`: these have news; None says that it is not known what was missed. `ticked()` comes several
    times a second whatever happens.
    """

    def __init__(
        self, app: Flask, *, heard: Callable[[frozenset[str] | None], None], ticked: Callable[[], None]
    ) -> None:
        self._app = app
        self._heard = heard
        self._ticked = ticked
        self._stopped = threading.Event()
        self._nudged = threading.Event()
        self._looked = 0.0
        self._thread = threading.Thread(target=self._run, name="news watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._nudged.set()

    def nudge(self) -> None:
        """This process committed, or has somebody new to tell: look soon."""
        self._nudged.set()

    def _run(self) -> None:
        sqlite = self._app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")
        watch = self._watch_sqlite if sqlite else self._watch_postgresql
        while not self._stopped.is_set():
            try:
                watch()
            except Exception:
                # The thread must outlive whatever befalls the database: without it nobody would hear of anything.
                log.exception("news cannot be heard at the moment")
                self._ticked()
                self._stopped.wait(LOOKED_ANYWAY_S)

    def _watch_sqlite(self) -> None:
        """`data_version` changes when any other connection, of any process, has committed."""
        connection = _own_connection(self._app)
        try:
            seen = None
            while not self._stopped.is_set():
                version = connection.execute("PRAGMA data_version").fetchone()[0]
                if version != seen or self._is_long_ago():
                    seen = version
                    self._look(None)
                self._ticked()
                if self._nudged.wait(LOOKED_EVERY_S):
                    self._nudged.clear()
                    self._stopped.wait(GATHERED_S)
        finally:
            _close(connection)

    def _watch_postgresql(self) -> None:
        connection = _own_connection(self._app)
        try:
            connection.execute(f"LISTEN {CHANNEL}")
            while not self._stopped.is_set():
                heard = {each.payload for each in connection.notifies(timeout=LOOKED_EVERY_S, stop_after=1)}
                if self._nudged.is_set() or self._is_long_ago():
                    self._nudged.clear()
                    self._look(None)
                elif heard:
                    self._look(frozenset(heard))
                self._ticked()
        finally:
            _close(connection)

    def _is_long_ago(self) -> bool:
        return time.monotonic() - self._looked > LOOKED_ANYWAY_S

    def _look(self, companies: frozenset[str] | None) -> None:
        if companies is None:
            self._looked = time.monotonic()
        try:
            self._heard(companies)
        except _errors() as error:
            log.info("news could not be looked up: %s", error)


def _own_connection(app: Flask) -> Any:
    """A connection of the driver outside of the pool, which commits each statement."""
    with app.app_context():
        pooled = db.engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()
    if not isinstance(connection, sqlite3.Connection):
        connection.autocommit = True
    return connection


def _errors() -> tuple[type[Exception], ...]:
    """What the database raises. Of the drivers, only the one that is in use is loaded: each takes its memory."""
    psycopg = sys.modules.get("psycopg")
    return (SQLAlchemyError, sqlite3.Error, *((psycopg.Error,) if psycopg else ()))


def _close(connection: Any) -> None:
    if connection is not None:
        try:
            connection.close()
        except _errors() as error:
            log.debug("closing: %s", error)


# --- what is asked when there is news --------------------------------------------------------------------------


def clocks(companies: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Epoch and newest feed number of these companies."""
    statement = (
        select(Company.id, Company.epoch, SyncClock.n)
        .outerjoin(SyncClock, SyncClock.company_id == Company.id)
        .where(Company.id.in_(list(companies)))
    )
    return {company_id: (epoch, int(n or 0)) for company_id, epoch, n in db.session.execute(statement)}


def newest_for(company_id: str, device_ids: Iterable[str]) -> dict[str, int]:
    """Device -> the highest effective number in its scopes; cost follows the number of scopes, not the feed."""
    held: dict[str, list[tuple[str, int, int | None]]] = {}
    for part in rows.chunks(sorted(device_ids)):
        statement = select(DeviceScope.device_id, DeviceScope.scope, DeviceScope.granted, DeviceScope.revoked).where(
            DeviceScope.company_id == company_id, DeviceScope.device_id.in_(part)
        )
        for device_id, scope, granted, revoked in db.session.execute(statement):
            held.setdefault(device_id, []).append((scope, granted, revoked))
    scopes = {scope for each in held.values() for scope, _, revoked in each if revoked is None}
    moved = _newest_of_scopes(company_id, scopes)
    return {
        device_id: max(
            revoked if revoked is not None else max(granted, moved.get(scope, 0)) for scope, granted, revoked in each
        )
        for device_id, each in held.items()
    }


def _newest_of_scopes(company_id: str, scopes: Iterable[str]) -> dict[str, int]:
    """The newest number of each scope: one look at the end of an index for each."""
    found: dict[str, int] = {}
    for part in rows.chunks(sorted(scopes)):
        wanted = select(DeviceScope.scope).where(DeviceScope.company_id == company_id, DeviceScope.scope.in_(part))
        scope = wanted.distinct().subquery()
        newest = (
            select(ScopeFeed.seq)
            .where(ScopeFeed.company_id == company_id, ScopeFeed.scope == scope.c.scope)
            .order_by(ScopeFeed.seq.desc())
            .limit(1)
            .scalar_subquery()
        )
        found |= {name: int(number or 0) for name, number in db.session.execute(select(scope.c.scope, newest))}
    return found


def devices_in_force(device_ids: Mapping[str, str]) -> set[str]:
    """Of these tablets (id -> company), those that may still be spoken to."""
    found: set[str] = set()
    for part in rows.chunks(sorted(device_ids)):
        statement = (
            select(Device.company_id, Device.id)
            .join(Technician, (Technician.company_id == Device.company_id) & (Technician.id == Device.technician_id))
            .where(Device.id.in_(part), Device.revoked_at.is_(None), Technician.active)
        )
        found.update(each for company_id, each in db.session.execute(statement) if device_ids[each] == company_id)
    return found


def sessions_in_force(token_hashes: Iterable[str], now: datetime) -> set[str]:
    """Of these sign-ins of the office, those that are still in force."""
    found: set[str] = set()
    for part in rows.chunks(sorted(token_hashes)):
        statement = (
            select(LoginSession.token_hash)
            .join(User, (LoginSession.company_id == User.company_id) & (LoginSession.user_id == User.id))
            .where(
                LoginSession.token_hash.in_(part),
                LoginSession.ended_at.is_(None),
                LoginSession.expires_at > now,
                User.active,
            )
        )
        found.update(db.session.scalars(statement))
    return found


# --- what a commit tells ---------------------------------------------------------------------------------------


def install() -> None:
    """Listen to the session, after the feed does: a commit that took a feed number is told when it is done."""
    event.listen(Session, "after_flush", _collect)
    event.listen(Session, "before_commit", _number)
    event.listen(Session, "after_commit", _tell)


def _collect(session: Session, context: UOWTransaction) -> None:
    """Remember companies where something changed that no tablet hears of but the office's pages show."""
    companies = session.info.setdefault(FOR_THE_OFFICE, set())
    for item in session.new:
        if isinstance(item, Conflict | RoutePlan | Mutation | Device | DeviceNotice | Salvage):
            companies.add(item.company_id)
    for item in session.dirty:
        told = isinstance(item, Conflict | RoutePlan | DeviceNotice | Salvage)
        told |= isinstance(item, Device) and inspect(item).attrs.revoked_at.history.has_changes()
        told |= isinstance(item, LoginSession) and item.ended_at is not None
        if told:
            companies.add(item.company_id)


def note_for_office(company_id: str) -> None:
    """The same for what is written without objects."""
    db.session.info.setdefault(FOR_THE_OFFICE, set()).add(company_id)


def _number(session: Session) -> None:
    """Such a change takes a feed number too, as the last thing, so that there is one sign of news for everybody."""
    if session.in_nested_transaction():
        return
    session.flush()
    companies = session.info.pop(FOR_THE_OFFICE, set()) - session.info.get(feed.NUMBERED, {}).keys()
    for company_id in sorted(companies):
        feed.next_number(session, company_id)


def _tell(session: Session) -> None:
    companies = session.info.pop(feed.NUMBERED, {})
    if companies:
        teller(current_app._get_current_object()).tell(companies)  # type: ignore[attr-defined]


def teller(app: Flask) -> Teller:
    """The application's one teller."""
    found: Teller = app.extensions.setdefault("rounds_teller", Teller(app))
    return found
