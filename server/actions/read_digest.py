"""What a device should hold, as checksums: first the whole, then the parts in which it differs, then the documents."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from schemas import contract
from schemas.shape import shaped
from server.actions.pull_changes import known_cursor
from server.problems import Problem
from server.store import digest, failures, news, pull, view
from server.store.queries import devices
from server.store.transaction import snapshot
from sync.digest import Sum
from sync.feed import Cursor

log = logging.getLogger(__name__)


def read_digest(
    company_id: str,
    device_id: str,
    cursor_text: str | None,
    *,
    schema_version: int,
    collection: str | None = None,
    buckets: Sequence[str] = (),
) -> dict[str, Any]:
    """Checksums of the device's scopes as of one moment, which the answer's cursor names.

    `behind`: something in its scopes is newer than the cursor that it sent, so that there is nothing to compare yet.
    Raises Problem as a pull does with the same cursor.
    """
    form = min(schema_version, contract.SCHEMA_VERSION)
    with snapshot():
        here = devices.history(company_id)
        answer: dict[str, Any] = {"cursor": Cursor(seq=here.n, epoch=here.epoch).encode(), "behind": False}
        if cursor_text:
            cursor = known_cursor(cursor_text, here.epoch, here.n)
            if cursor.seq > here.n:
                raise Problem(410, "epoch-changed", field="cursor")
            there = news.newest_for(company_id, [device_id]).get(device_id, 0)
            if cursor.document_id or there > cursor.seq:
                return answer | {"behind": True}
        subscriptions = pull.subscriptions(company_id, device_id)
        held = [one.scope for one in subscriptions if one.revoked is None]
        found = digest.Digest(company_id=company_id, epoch=here.epoch, newest=here.n, form=form)
        if collection and buckets:
            of_buckets = found.documents(held, collection, buckets)
            answer["documents"] = {each: list(both) for each, both in of_buckets.items()}
        else:
            answer |= _sums(found.sums(held), collection)
    _keep(found.fresh)
    return answer


def _sums(sums: digest.Sums, collection: str | None) -> dict[str, Any]:
    if collection:
        return {"buckets": {at: [one.count, one.sum] for (name, at), one in sums.items() if name == collection}}
    whole: dict[str, Sum] = {}
    for (name, _), one in sums.items():
        whole[name] = whole.get(name, Sum()) + one
    return {"collections": {name: [one.count, one.sum] for name, one in sorted(whole.items())}}


def _keep(fresh: digest.Fresh) -> None:
    try:
        if fresh:
            digest.keep(fresh)
    except failures.Unavailable as error:
        # The answer does not need it: whoever asks next works them out again.
        log.info("checksums could not be kept: %s", error)


def read_documents(company_id: str, device_id: str, ids: Sequence[str], *, schema_version: int) -> str:
    """These documents as JSON text in the form of a pull, each to be put as it is, or dropped.

    What is not in the device's scopes is answered exactly like what does not exist.
    """
    with snapshot():
        rows = view.rows(company_id, pull.subscriptions(company_id, device_id), ids)
    there = {row.id: change for row in rows if (change := _put(row, schema_version)) is not None}
    gone = '{{"collection":null,"id":"{}","op":"drop","version":null,"reason":"not-needed"}}'
    return f'{{"changes":[{",".join(there.get(each) or gone.format(each) for each in ids)}]}}'


def _put(row: view.Row, schema_version: int) -> str | None:
    text = shaped(row.collection, row.body, schema_version) if row.body is not None else None
    if text is None:
        return None
    return pull.put(row.collection, row.version, text)
