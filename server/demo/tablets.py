"""Tablets of the technicians: when each was heard of last."""

from __future__ import annotations

import hashlib
import secrets
from datetime import time, timedelta

from schemas.entities.base import EVERYONE, technician_scope
from server.demo.chance import Chance
from server.demo.world import Branch, Technician, World
from server.extensions import db
from server.store.feed import next_number
from server.store.models import Device, DeviceScope
from server.store.transaction import transactional

TABLETS = ("Samsung Galaxy Tab Active4", "Samsung Galaxy Tab Active5", "Lenovo Tab K11", "Xiaomi Redmi Pad")


@transactional
def enrol_tablets(world: World) -> None:
    """A tablet for everybody but the newcomers, heard of lately, an hour ago, or yesterday."""
    for branch in world.branches:
        chance = Chance(world.seed, f"tablets/{branch.key}")
        held = [one for one in branch.technicians if one.device_id]
        for position, technician in enumerate(held):
            device = _device(world, branch, technician, position, chance)
            db.session.add(device)
            db.session.flush()
            for scope in (technician_scope(technician.id), EVERYONE):
                granted = next_number(db.session(), world.company_id)
                db.session.add(
                    DeviceScope(company_id=world.company_id, device_id=device.id, scope=scope, granted=granted)
                )
            device.cursor_seq = granted


def _device(world: World, branch: Branch, technician: Technician, position: int, chance: Chance) -> Device:
    least, most = (900, 1300) if technician.quiet else (50, 100) if position == 3 else (1, 20)
    silent = timedelta(minutes=chance.randint(least, most), seconds=chance.randint(0, 59))
    return Device(
        company_id=world.company_id,
        id=technician.device_id,
        technician_id=technician.id,
        user_id=technician.user_id,
        name=chance.choice(TABLETS),
        app_version="0.1.0",
        schema_version=1,
        token_hash=hashlib.sha256(secrets.token_bytes(32)).hexdigest(),
        enrolled_at=branch.at(branch.since, time(8)),
        last_seen_at=world.now - silent,
        last_n=0,
        clock_offset_s=round(chance.gauss(0, 4), 1),
        clock_uncertainty_s=round(chance.uniform(0.1, 1.5), 2),
    )
