"""Who is writing: said once at a door, read by the feed for every version and every conflict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Author:
    """A person, and where they write from; all None for the system's own writes."""

    user_id: str | None = None
    name: str | None = None
    device_id: str | None = None
    mutation_id: str | None = None


NOBODY = Author()
author: ContextVar[Author] = ContextVar("author", default=NOBODY)


@contextmanager
def acting(who: Author) -> Iterator[None]:
    """Name the author of all writes inside; may be nested, as for each mutation of a push."""
    token = author.set(who)
    try:
        yield
    finally:
        author.reset(token)
