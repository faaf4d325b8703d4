"""A tablet makes contact: its clock is measured, what it says of itself is kept, what is odd is noted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from server.actions.device_notices import note, numbers_of, set_numbers, settle
from server.store.models import Device
from server.store.queries import devices
from sync.clock import ClockOffset, jump, measure_offset
from sync.numbers import Numbers, Range, lost, take

SILENCE = timedelta(minutes=2)
"""Who is not heard of for longer than this was out of contact: an open app asks more often."""
TWO_PLACES = timedelta(seconds=60)
"""Who is at one address, then at another, then at the first again within this time is in two places at once."""


@dataclass(frozen=True, kw_only=True)
class Contact:
    """What came with one request: the tablet's clock, where from, and what it says of itself (`Told`, as JSON).

    Of a client that does not say what its clock shows, the clock is taken to be right, and what is known of it stays.
    """

    device_time: datetime | None
    rtt_ms: float | None = None
    address: str | None = None
    app_version: str | None = None
    schema_version: int | None = None
    told: dict[str, Any] | None = None
    carried: ClockOffset | None = None
    """Of what came in a file: how far the clock is thought to be off; it could not be measured (S-207)."""


def note_contact(device: Device, contact: Contact, now: datetime) -> ClockOffset:
    """Keep what a contact shows on the locked device; the offset for what came with it.

    When the clock was set since the last contact it is not known whether what came was made before or after: then the
    offset is as uncertain as the clock moved.
    """
    told = contact.device_time is not None and contact.carried is None
    offset = contact.carried or measure_offset(
        device_time=contact.device_time or now, received_at=now, rtt_ms=contact.rtt_ms
    )
    moved = _moved(device, offset, now) if told else None
    note_seen(device, now)
    if told and (device.clock_measured_at is None or now >= device.clock_measured_at):
        device.clock_offset_s, device.clock_uncertainty_s = offset.seconds, offset.uncertainty_s
        device.clock_measured_at = now
    if contact.app_version:
        device.app_version = contact.app_version
    if contact.schema_version:
        device.schema_version = contact.schema_version
    if contact.address:
        note_address(device, contact.address, now)
    if moved is None:
        return offset
    note(device.company_id, device.id, "clock-jump", {"seconds": round(moved)}, now)
    return ClockOffset(seconds=offset.seconds, uncertainty_s=offset.uncertainty_s + abs(moved))


def note_seen(device: Device, now: datetime) -> None:
    """It is in contact; at the end of a silence it is kept when that began."""
    last = device.last_seen_at
    if last is not None and now - last > SILENCE:
        device.silent_since = last
    device.last_seen_at = max(now, last or now)


def note_address(device: Device, address: str, now: datetime) -> None:
    """Remember where a tablet calls from; two addresses in turn within a minute are two tablets with one token."""
    if address == device.address:
        return
    changed_at = device.address_changed_at
    if address == device.address_before and changed_at is not None and now - changed_at < TWO_PLACES:
        note(device.company_id, device.id, "two-places", {"here": address, "there": device.address}, now)
    device.address_before, device.address, device.address_changed_at = device.address, address, now


def note_numbers(device: Device, came: list[int], told: dict[str, Any] | None, now: datetime) -> Numbers:
    """Keep which of the device's numbers came, and note those that are lost by what it tells of itself.

    A device that does not know yet that the server was restored has not offered again what was lost there.
    """
    before = numbers_of(device)
    known = take(before, came)
    if known != before:
        set_numbers(device, known)
    if told is not None:
        device.told, device.told_at = told, now
        nowhere = lost(known, next_n=told["next_n"], first_unsent=told["first_unsent"])
        if nowhere and told["epoch"] in (None, devices.history(device.company_id).epoch):
            note(device.company_id, device.id, "hole", _hole(nowhere), now, again=False)
        elif not nowhere and known != before:
            settle(device.company_id, device.id, "hole", now)
    return known


def _hole(ranges: tuple[Range, ...]) -> dict[str, Any]:
    shown = [str(first) if first == last else f"{first}–{last}" for first, last in ranges[:10]]
    return {
        "n": sum(last - first + 1 for first, last in ranges),
        "numbers": shown + ["…"] * (len(ranges) > 10),
        "ranges": [list(one) for one in ranges],
    }


def _moved(device: Device, offset: ClockOffset, now: datetime) -> float | None:
    measured_at = device.clock_measured_at
    if measured_at is None or device.clock_offset_s is None or device.clock_uncertainty_s is None:
        return None
    before = ClockOffset(seconds=device.clock_offset_s, uncertainty_s=device.clock_uncertainty_s)
    return jump(before, offset, now - measured_at)
