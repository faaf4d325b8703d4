"""A tablet reads on: one page of the feed after its cursor, in one snapshot of the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from server.actions.contact import note_address, note_seen
from server.actions.history import note_ahead, renew_epoch
from server.actions.move_windows import window_on
from server.problems import Problem
from server.store import pull
from server.store.ahead import work_ahead
from server.store.marks import marks
from server.store.pull import Feed, Page
from server.store.queries import devices, packages
from server.store.queries.people import Holder
from server.store.transaction import snapshot, transactional
from sync.feed import BadCursor, Cursor, decode

DEFAULT_LIMIT = 200
MOST = 1000

CONTACT_NOTED = timedelta(seconds=20)
"""A contact is written down when the last one noted is older than this."""


def pull_changes(
    company_id: str,
    device_id: str,
    cursor_text: str | None,
    limit: int,
    *,
    schema_version: int,
    now: datetime | None = None,
    holder: Holder | None = None,
) -> tuple[str, str, bool]:
    """The answer's JSON text, the encoded cursor, and whether there is more; `holder` as it was found at the door.

    A first pull of more than one page begins with the work of today, as of `now` (S-224).

    Raises Problem `bad-cursor` for text that is no cursor, `epoch-changed` for a cursor of another history,
    `cursor-too-old` for one from which removals may be gone from the feed.
    """
    found = _of_the_door(holder, cursor_text, limit, schema_version) if holder and cursor_text else None
    if found is not None:
        return found
    moment = now or datetime.now(UTC)
    return _pull(company_id, device_id, cursor_text, limit, schema_version, moment, anew=False)


def _of_the_door(holder: Holder, cursor_text: str, limit: int, schema_version: int) -> tuple[str, str, bool] | None:
    """The answer of the feed as it stood when the tablet came to the door; None for all that is not plain."""
    company_id = holder.company_id
    here = pull.feed_in_text(holder.feed_epoch, holder.feed_n, holder.backed_up_through, holder.feed_scopes)
    if marks().went_back(company_id, here.epoch, here.newest, marks().known(company_id)):
        return None
    cursor = known_cursor(cursor_text, here.epoch, here.newest)
    if cursor.seq > here.newest or pull.is_too_old(here.held, cursor):
        return None
    page = pull.read_page_alone(company_id, holder.device_id, here, cursor, limit, schema_version)
    return _page_answer(here, cursor, page) if page else None


def _pull(
    company_id: str,
    device_id: str,
    cursor_text: str | None,
    limit: int,
    schema_version: int,
    now: datetime,
    *,
    anew: bool,
) -> tuple[str, str, bool]:
    known = marks().known(company_id)
    with snapshot(anew=anew):
        here = pull.feed_of(company_id, device_id)
        went_back = marks().went_back(company_id, here.epoch, here.newest, known)
        cursor = Cursor(epoch=here.epoch) if went_back else known_cursor(cursor_text, here.epoch, here.newest)
        ahead = cursor.seq > here.newest
        too_old = pull.is_too_old(here.held, cursor)
        page = Page(changes=[], cursor=cursor, more=False)
        ahead_of_it: list[str] = []
        if not went_back and not ahead and not too_old:
            page = pull.read_page(company_id, here, cursor, limit, schema_version)
            if page.more and not cursor_text:
                ahead_of_it = _work_of_today(company_id, here.held, schema_version, now, limit)
    if went_back:
        # A snapshot that was begun before the mark was read may only be a moment old: what a later one shows counts.
        if anew:
            renew_epoch(company_id, here.epoch, now)
        return _pull(company_id, device_id, cursor_text, limit, schema_version, now, anew=True)
    if ahead:
        note_ahead(company_id, device_id, now)
        raise Problem(410, "epoch-changed", field="cursor")
    if too_old:
        raise Problem(410, "cursor-too-old", field="cursor")
    if ahead_of_it:
        page = Page(changes=ahead_of_it[:limit], cursor=cursor, more=True)
    return _page_answer(here, cursor, page, today=not cursor_text and len(ahead_of_it) <= limit)


def _page_answer(here: Feed, cursor: Cursor, page: Page, *, today: bool = False) -> tuple[str, str, bool]:
    """The answer; `today`: all that today needs is in it, whatever else there is."""
    after = page.cursor.encode()
    first = max((one.granted for one in here.held), default=0)
    past_first = cursor.seq > first or (cursor.seq == first and not cursor.document_id)
    complete = past_first or not page.more
    text = _answer(
        page.changes,
        after,
        page.more,
        complete,
        complete or today,
        here.epoch,
        here.newest,
        here.backed_up_through,
    )
    return text, after, page.more


def _work_of_today(
    company_id: str, held: Sequence[pull.Subscription], schema_version: int, now: datetime, limit: int
) -> list[str]:
    """Changes that put what is to be done today, by the day of the technician's branch."""
    own = [one.scope for one in held if packages.is_technicians(one.scope) and one.revoked is None]
    if not own:
        return []
    reach = packages.reach(company_id, own[0])
    since = reach.window.since if reach.window else None
    tomorrow = window_on(now, reach.tz, days=0).until
    return work_ahead(company_id, held, since, tomorrow, schema_version=schema_version, limit=limit)


def nothing_new(holder: Holder, cursor_text: str | None) -> str | None:
    """The answer to a tablet that has read as far as the feed went when it came to the door; None for all others."""
    here = Cursor(seq=holder.feed_n, epoch=holder.feed_epoch).encode()
    known = marks().known(holder.company_id)
    if cursor_text != here or marks().went_back(holder.company_id, holder.feed_epoch, holder.feed_n, known):
        return None
    return _answer([], here, False, True, True, holder.feed_epoch, holder.feed_n, holder.backed_up_through)


def _answer(
    changes: list[str],
    cursor: str,
    more: bool,
    complete: bool,
    today: bool,
    epoch: str,
    newest: int,
    backed_up_through: int,
) -> str:
    told = {True: "true", False: "false"}
    return (
        f'{{"changes":[{",".join(changes)}],"cursor":"{cursor}","more":{told[more]},'
        f'"first_sync_complete":{told[complete]},"today_complete":{told[today]},"epoch":"{epoch}","seq":{newest},'
        f'"backed_up_through":{backed_up_through}}}'
    )


def known_cursor(text: str | None, epoch: str, newest: int) -> Cursor:
    """A tablet's cursor, or the beginning; raises Problem `bad-cursor`, or `epoch-changed` for another history."""
    if not text:
        return Cursor(epoch=epoch, since=newest)
    try:
        cursor = decode(text)
    except BadCursor as error:
        raise Problem(400, "bad-cursor", field="cursor") from error
    if cursor.epoch != epoch:
        raise Problem(410, "epoch-changed", field="cursor")
    return cursor


def contact_is_old(holder: Holder, cursor_text: str | None, address: str, now: datetime) -> bool:
    """Whether the noted contact does not stand for this one; a reader must not wait for writers each time."""
    if holder.last_seen_at is None or now - holder.last_seen_at > CONTACT_NOTED or holder.address != address:
        return True
    return cursor_text is not None and holder.epoch != decode(cursor_text).epoch


@transactional
def note_pull(company_id: str, device_id: str, cursor_text: str | None, address: str, now: datetime) -> None:
    """Remember when a tablet was last heard of, and how far it had read: the cursor that it sent, not the new one."""
    device = devices.lock_device(company_id, device_id)
    note_seen(device, now)
    note_address(device, address, now)
    if cursor_text:
        cursor = decode(cursor_text)
        before = device.cursor_seq if device.epoch in (None, cursor.epoch) else 0
        device.cursor_seq, device.epoch = max(before, cursor.seq), cursor.epoch
