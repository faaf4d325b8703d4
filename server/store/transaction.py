"""The one place that commits.

An action is decorated with `transactional`: it runs in one write transaction, whole or not at all, and is run again
when the database asks for that. Nothing else commits; a flush outside of an action is an error.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import ORMExecuteState, Session

from server.extensions import db
from server.store import engine, feed, locks, news
from server.store.marks import marks
from server.store.models import SYNCED

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 4
RETRIED_SQLSTATES = {"40001", "40P01", "55P03"}
"""Serialization failure, deadlock, lock not available: the whole action is run again."""

reading: ContextVar[bool] = ContextVar("reading", default=False)
"""True while a snapshot is open in this context."""

log = logging.getLogger(__name__)


class WriteOutsideTransaction(RuntimeError):
    """Something was flushed outside of an action."""


class BulkWriteRefused(RuntimeError):
    """A bulk statement on a synced table would go past the feed; change objects instead."""


def transactional(action: Callable[P, R]) -> Callable[P, R]:
    """Run an action in one write transaction; inside another action it joins that one.

    A snapshot that is open ends where the action begins, and another one follows it. Deadlocks and serialization
    failures run the whole action again, at most `TRIES` times in all.
    """

    @functools.wraps(action)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if engine.writing.get():
            return action(*args, **kwargs)
        for attempt in range(TRIES):
            db.session.rollback()
            token = engine.writing.set(True)
            try:
                result = action(*args, **kwargs)
                db.session.commit()
            except DBAPIError as error:
                db.session.rollback()
                if attempt + 1 == TRIES or not _asks_for_retry(error):
                    raise
                log.info("running %s again: %s", action.__qualname__, error.orig)
            except BaseException:
                db.session.rollback()
                raise
            else:
                return result
            finally:
                feed.forget(db.session())
                db.session.info.pop(news.FOR_THE_OFFICE, None)
                engine.writing.reset(token)
                if reading.get():
                    _begin_snapshot()
        raise AssertionError("unreachable")

    return run


@contextmanager
def snapshot(*, anew: bool = False) -> Iterator[None]:
    """Read from one unchanging state of the database: repeatable read on PostgreSQL, a read transaction on SQLite.

    Inside another snapshot it is that one, unless it is to be `anew`: then a later one takes its place.
    """
    if reading.get():
        if anew:
            db.session.rollback()
            _begin_snapshot()
        yield
        return
    db.session.rollback()
    token = reading.set(True)
    try:
        _begin_snapshot()
        yield
    finally:
        reading.reset(token)
        db.session.rollback()


def let_go() -> None:
    """End the reading of this request, so that no connection is held while something slow goes on.

    What was read stays as it was read, but is no object of the session any more.
    """
    db.session.expunge_all()
    db.session.rollback()


def _begin_snapshot() -> None:
    if db.engine.dialect.name == "postgresql":
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _asks_for_retry(error: DBAPIError) -> bool:
    if getattr(error.orig, "sqlstate", None) in RETRIED_SQLSTATES:
        return True
    return isinstance(error, OperationalError) and "database is locked" in str(error.orig)


def install() -> None:
    """Listen to the session: collect what is flushed, write the feed before the commit, refuse what goes past it."""
    event.listen(Session, "before_flush", _refuse_outside)
    event.listen(Session, "before_flush", locks.lock_changed)
    event.listen(Session, "after_flush", feed.collect)
    event.listen(Session, "before_commit", feed.record)
    event.listen(Session, "after_commit", _mark)
    event.listen(Session, "do_orm_execute", _refuse_bulk)
    news.install()


def _mark(session: Session) -> None:
    """Note what was committed outside of the database; that this fails takes nothing back."""
    if session.in_nested_transaction():
        return
    try:
        for company_id, number in session.info.get(feed.NUMBERED, {}).items():
            marks().note(company_id, number)
    except OSError:
        log.exception("the mark of a commit could not be written")


def _refuse_outside(session: Session, context: object, instances: object) -> None:
    if not engine.writing.get():
        raise WriteOutsideTransaction("Write inside an action that is marked transactional.")


def _refuse_bulk(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        mapper = state.bind_mapper
        if mapper is not None and mapper.class_ in SYNCED.values():
            raise BulkWriteRefused(mapper.class_.__name__)
