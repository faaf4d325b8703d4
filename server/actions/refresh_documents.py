"""Bring stored documents to the form that their schemas have now, as after a change of the schema or of its rules."""

from __future__ import annotations

from collections.abc import Iterator

from server.store import documents
from server.store.models import SYNCED
from server.store.queries import people
from server.store.transaction import transactional

PART = 500


def refresh_documents() -> Iterator[tuple[str, int]]:
    """Compare every document of every company with its object; tells after each part (collection, documents so far).

    A document whose form is the same is left alone, so that it may be run at any time and again.
    """
    for company in people.companies():
        for collection in sorted(SYNCED):
            after, seen = "", 0
            while part := _refresh(company.id, collection, after):
                after, seen = part[-1], seen + len(part)
                yield collection, seen


@transactional
def _refresh(company_id: str, collection: str, after: str) -> list[str]:
    return documents.touch_part(company_id, collection, after, PART)
