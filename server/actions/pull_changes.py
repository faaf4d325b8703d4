"""A tablet reads on: one page of the feed after its cursor, in one snapshot of the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from server.actions.contact import note_address
from server.actions.history import note_ahead, renew_epoch
from server.problems import Problem
from server.store import pull
from server.store.marks import marks
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
    known = marks().known(company_id)
    with snapshot():
        here = devices.history(company_id)
        went_back = marks().went_back(company_id, here.epoch, here.n, known)
        cursor = Cursor(epoch=here.epoch) if went_back else known_cursor(cursor_text, here.epoch)
        ahead = cursor.seq > here.n
        held = [] if went_back or ahead else pull.subscriptions(company_id, device_id)
        page = pull.read_page(company_id, held, cursor, limit, here.n)
    if went_back:
        renew_epoch(company_id, here.epoch, datetime.now(UTC))
        return pull_changes(company_id, device_id, cursor_text, limit)
    if ahead:
        note_ahead(company_id, device_id, datetime.now(UTC))
        raise Problem(410, "epoch-changed", field="cursor")
    after = page.cursor.encode()
    more = "true" if page.more else "false"
    first = max((one.granted for one in held), default=0)
    past_first = cursor.seq > first or (cursor.seq == first and not cursor.document_id)
    complete = "true" if past_first or not page.more else "false"
    body = (
        f'{{"changes":[{",".join(page.changes)}],"cursor":"{after}","more":{more},"first_sync_complete":{complete},'
        f'"epoch":"{here.epoch}","seq":{here.n},"backed_up_through":{here.backed_up_through}}}'
    )
    return body, after, page.more


def known_cursor(text: str | None, epoch: str) -> Cursor:
    """A tablet's cursor, or the beginning; raises Problem `bad-cursor`, or `epoch-changed` for another history."""
    if not text:
        return Cursor(epoch=epoch)
    try:
        cursor = decode(text)
    except BadCursor as error:
        raise Problem(400, "bad-cursor", field="cursor") from error
    if cursor.epoch != epoch:
        raise Problem(410, "epoch-changed", field="cursor")
    return cursor


def contact_is_old(company_id: str, device_id: str, cursor_text: str | None, address: str, now: datetime) -> bool:
    """Whether the noted contact does not stand for this one; a reader must not wait for writers each time."""
    device = devices.device(company_id, device_id)
    if device is None:
        return False
    if device.last_seen_at is None or now - device.last_seen_at > CONTACT_NOTED or device.address != address:
        return True
    return cursor_text is not None and device.epoch != decode(cursor_text).epoch


@transactional
def note_pull(company_id: str, device_id: str, cursor_text: str | None, address: str, now: datetime) -> None:
    """Remember when a tablet was last heard of, and how far it had read: the cursor that it sent, not the new one."""
    device = devices.lock_device(company_id, device_id)
    device.last_seen_at = now
    note_address(device, address, now)
    if cursor_text:
        cursor = decode(cursor_text)
        before = device.cursor_seq if device.epoch in (None, cursor.epoch) else 0
        device.cursor_seq, device.epoch = max(before, cursor.seq), cursor.epoch
