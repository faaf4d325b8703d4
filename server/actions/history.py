"""The history that cursors belong to: it is begun anew when the database went back in time, by whatever way.

Three signs show that: the mark outside of the database is ahead of it, its history is a former one, or tablets have
read further than it goes. A tablet alone may lie about its cursor; two technicians' tablets do not lie alike.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from server.actions.device_notices import note
from server.extensions import db
from server.store.marks import marks
from server.store.models import Device
from server.store.queries import devices, fleet
from server.store.queries.devices import History
from server.store.transaction import snapshot, transactional


def stand(company_id: str, known: int, now: datetime) -> History:
    """Where the history stands; a new one is begun first when it is behind `known`, the mark read before it."""
    found = devices.history(company_id)
    if marks().went_back(company_id, found.epoch, found.n, known):
        # Who asks may have read before: what was found can be of a moment before the mark. A later look counts.
        known = marks().known(company_id)
        with snapshot(anew=True):
            found = devices.history(company_id)
        if marks().went_back(company_id, found.epoch, found.n, known):
            renew_epoch(company_id, found.epoch, now)
            found = devices.history(company_id)
    return found


def renew_epoch(company_id: str, seen: str, now: datetime, restored_to: datetime | None = None) -> None:
    """Begin a new history in place of `seen`; nothing to do when somebody else has just done so.

    All tablets start from a new baseline and send again what no backup covers. Those that were revoked stay so.
    """
    epoch, seq = _renew(company_id, seen, now, restored_to)
    marks().begin(company_id, epoch, seq)


@transactional
def _renew(company_id: str, seen: str, now: datetime, restored_to: datetime | None) -> tuple[str, int]:
    company, clock = devices.lock_company(company_id)
    if company.epoch != seen:
        return company.epoch, clock.n
    company.epoch = secrets.token_hex(8)
    company.restored_at, company.restored_to = now, restored_to
    for device_id, at in marks().revoked(company_id).items():
        device = db.session.get(Device, (company_id, device_id))
        if device is not None and device.revoked_at is None:
            device.revoked_at, device.ended_because = at, "revoked"
    note(company_id, None, "went-back", {}, now)
    return company.epoch, clock.n


def note_ahead(company_id: str, device_id: str, now: datetime) -> None:
    """A tablet has read further than the feed goes: the office hears of it; with a second one it is a new history."""
    seen = devices.history(company_id).epoch
    if _note_ahead(company_id, device_id, seen, now):
        renew_epoch(company_id, seen, now)


@transactional
def _note_ahead(company_id: str, device_id: str, epoch: str, now: datetime) -> bool:
    technician_id = devices.technicians_of(company_id, [device_id])[device_id]
    there = fleet.open_notice(company_id, None, "server-behind")
    ahead = there.params["ahead"] if there is not None and there.params["epoch"] == epoch else {}
    ahead = ahead | {technician_id: device_id}
    note(company_id, None, "server-behind", {"n": len(ahead), "epoch": epoch, "ahead": ahead}, now)
    return len(ahead) > 1
