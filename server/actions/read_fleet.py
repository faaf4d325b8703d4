"""The tablets as the office must know them: heard of when, what may be on them, what is odd about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from schemas.entities.base import iso
from server.actions.device_notices import for_office
from server.actions.planning_problem import may_have_started
from server.config import APP_VERSION
from server.domain.fleet import Signs, clock_is_wrong, is_older, state_of, unsent_estimate
from server.store.models import Device, Visit
from server.store.queries import fleet, office, planning, salvage
from server.store.queries.fleet import Pending

Item = dict[str, Any]

TOLD = ("unsent_since", "needs_person", "photos", "photo_bytes", "room_used", "room_quota")
"""What is shown of that which a tablet told of itself."""


def signs_of(device: Device) -> Signs:
    """A tablet's signs, as far as they were noted."""
    return Signs(
        last_seen_at=device.last_seen_at or device.enrolled_at,
        ended=None if device.revoked_at is None else "left" if device.ended_because == "left" else "revoked",
        clock_offset_s=device.clock_offset_s,
        missing=sum(last - first + 1 for first, last in device.missing or ()),
        told_unsent=(device.told or {}).get("unsent") or 0,
    )


def describe(company_id: str, devices: Sequence[Device], now: datetime, locale: str) -> list[Item]:
    """Each tablet with all that the office should know of it, in the given order."""
    ids = [device.id for device in devices]
    names = office.technician_names(company_id)
    clashes, refused = fleet.open_conflicts(company_id, ids), fleet.refused(company_id, ids)
    waiting = salvage.waiting(company_id, ids)
    notices = for_office(fleet.open_notices(company_id, ids), locale)
    begun = _begun(company_id, devices, now)
    epoch = fleet.epoch(company_id)
    found = []
    for device in devices:
        signs, told = signs_of(device), device.told or {}
        visits = begun.get(device.id, [])
        found.append(
            {
                "id": device.id,
                "technician_id": device.technician_id,
                "technician_name": names.get(device.technician_id, ""),
                "name": device.name,
                "state": state_of(signs, now),
                "app_version": device.app_version,
                "app_is_old": is_older(device.app_version, APP_VERSION),
                "schema_version": device.schema_version,
                "enrolled_at": iso(device.enrolled_at),
                "last_seen_at": _iso(device.last_seen_at),
                "clock_offset_s": device.clock_offset_s,
                "clock_uncertainty_s": device.clock_uncertainty_s,
                "clock_is_wrong": clock_is_wrong(signs),
                "last_n": device.last_n,
                "missing": device.missing or [],
                "unsent": signs.missing,
                "unsent_told": told.get("unsent"),
                "unsent_estimate": unsent_estimate(signs, len(visits)),
                "told_at": _iso(device.told_at),
                **{name: told.get(name) for name in TOLD},
                "conflicts_open": clashes.get(device.id, 0),
                "refused": refused.get(device.id, 0),
                "salvage_waiting": waiting.get(device.id, 0),
                "notices": [one for one in notices if one["device_id"] == device.id],
                "may_have_started": [_visit(visit, site) for visit, site in visits],
                "has_restored": device.epoch in (None, epoch),
                "revoked_at": _iso(device.revoked_at),
                "wipe_told_at": _iso(device.wipe_told_at),
            }
        )
    return found


def read_fleet(company_id: str, now: datetime, locale: str) -> Item:
    """All tablets in a few figures, what is odd about none in particular, and what the last backup covers."""
    every = fleet.in_use(company_id)
    states = [state_of(signs_of(device), now) for device in every]
    stand = fleet.stand(company_id)
    again = [device for device in every if device.epoch == stand.epoch]
    return {
        "devices": len(every),
        "silent": sum(state in ("silent", "expired") for state in states),
        "clocks_wrong": sum(clock_is_wrong(signs_of(device)) for device in every),
        "unsent_told": sum(signs_of(device).told_unsent for device in every),
        "salvage_waiting": fleet.salvage_waiting(company_id),
        "notices": for_office([one for one in fleet.open_notices(company_id) if one.device_id is None], locale),
        "backed_up_at": _iso(stand.backed_up_at),
        "restored_at": _iso(stand.restored_at),
        "restored_to": _iso(stand.restored_to),
        "sent_again": len(again),
        "app_version": APP_VERSION,
    }


def _begun(company_id: str, devices: Sequence[Device], now: datetime) -> dict[str, list[Pending]]:
    """Visits that may have begun on each tablet: those of its technician, if it is the one that was heard of last."""
    latest = planning.devices_of(company_id, {device.technician_id for device in devices})
    shown = {device.id for device in devices}
    found: dict[str, list[Pending]] = {}
    for visit, site in fleet.pending_visits(company_id, latest, now):
        device = latest.get(visit.assignee_id or "")
        if device is not None and device.id in shown and may_have_started(visit, device, now):
            found.setdefault(device.id, []).append((visit, site))
    return found


def _visit(visit: Visit, site: str) -> Item:
    return {"id": visit.id, "number": visit.number, "site_name": site, "planned_start": _iso(visit.planned_start)}


def _iso(moment: datetime | None) -> str | None:
    return iso(moment) if moment is not None else None
