"""A tablet reads on: one page of the feed after its cursor, in one snapshot of the database."""

from __future__ import annotations

from datetime import datetime, timedelta

from server.problems import Problem
from server.store import pull
from server.store.queries import devices
from server.store.transaction import snapshot, transactional
from sync.feed import BadCursor, Cursor, decode

DEFAULT_LIMIT = 200
MOST = 1000

CONTACT_NOTED = timedelta(seconds=20)
"""A contact is written down when the last one noted is older than this."""


def pull_changes(company_id: str, device_id: str, cursor_text: str | None, limit: int) -> tuple[str, str, bool]:
    """The answer's JSON text, the encoded cursor, and whether there is more.

    Raises Problem `bad-cursor` for text that is no cursor, `epoch-changed` for a cursor of another history.
    """
    with snapshot():
        epoch = devices.epoch(company_id)
        cursor = Cursor(epoch=epoch)
        if cursor_text:
            try:
                cursor = decode(cursor_text)
            except BadCursor as error:
                raise Problem(400, "bad-cursor", field="cursor") from error
            if cursor.epoch != epoch:
                raise Problem(410, "epoch-changed", field="cursor")
        newest = devices.clock(company_id)
        if cursor.seq > newest:
            raise Problem(410, "epoch-changed", field="cursor")
        held = pull.subscriptions(company_id, device_id)
        page = pull.read_page(company_id, held, cursor, limit, newest)
    after = page.cursor.encode()
    more = "true" if page.more else "false"
    first = max((one.granted for one in held), default=0)
    past_first = cursor.seq > first or (cursor.seq == first and not cursor.document_id)
    complete = "true" if past_first or not page.more else "false"
    body = f'{{"changes":[{",".join(page.changes)}],"cursor":"{after}","more":{more},"first_sync_complete":{complete}}}'
    return body, after, page.more


def contact_is_old(company_id: str, device_id: str, now: datetime) -> bool:
    """Whether the noted contact is too old to stand for this one; a reader must not wait for writers each time."""
    device = devices.device(company_id, device_id)
    return device is not None and (device.last_seen_at is None or now - device.last_seen_at > CONTACT_NOTED)


@transactional
def note_contact(company_id: str, device_id: str, cursor_text: str | None, now: datetime) -> None:
    """Remember when a tablet was last heard of, and how far it had read: the cursor that it sent, not the new one."""
    device = devices.lock_device(company_id, device_id)
    device.last_seen_at = now
    if cursor_text:
        device.cursor_seq = max(device.cursor_seq, decode(cursor_text).seq)
