"""Meters of machines: values told to the office, doubtful ones judged, what each meter shows. No value ever changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import ValidationError

from schemas.maintenance import JudgeReadingSchema, NewReadingSchema
from server.actions.plan_values import core_reading
from server.domain.maintenance import AllOf, AnyOf, MeterTrigger, Reading, read_triggers
from server.domain.maintenance.meters import MeterKind, grown_by, rate_of, use_of
from server.extensions import db
from server.problems import FieldError, Problem, invalid, not_found
from server.store.models import Asset, MeterReading, Site
from server.store.queries import maintenance as queries
from server.store.transaction import transactional
from server.store.types import new_id


@transactional
def record_reading(company_id: str, asset_id: str, values: dict[str, Any]) -> MeterReading:
    """Keep a value that somebody told the office; it is refused at the field if the meter cannot show it.

    Raises Problem: `not-found`, `invalid-fields`. What a tablet enters is kept whatever it says, and held instead.
    """
    tz = _zone(company_id, asset_id)
    try:
        loaded = NewReadingSchema().load(values)
    except ValidationError as error:
        raise invalid(error.normalized_messages()) from error
    row = MeterReading(company_id=company_id, id=new_id(), asset_id=asset_id, visit_id=None, judged=None, **loaded)
    before = [
        core_reading(each, tz)
        for each in queries.readings_of(company_id, asset_id)
        if each.meter == row.meter and each.taken_at <= row.taken_at and each.judged != "rejected"
    ]
    _judge(before, core_reading(row, tz), kinds_of(company_id, asset_id).get(row.meter, MeterKind(meter=row.meter)))
    db.session.add(row)
    db.session.flush()
    return row


def _judge(before: list[Reading], reading: Reading, kind: MeterKind) -> None:
    if not before or reading.replaced:
        return
    if reading.id not in {each.id for each in use_of([*before, reading], kind).held}:
        return
    sound = {each.id for each in use_of(before, kind).held}
    last = next(each for each in reversed(before) if each.id not in sound)
    days = (reading.on - last.on).days
    far = grown_by(last.value, reading.value, days, MeterKind(meter=kind.meter, rollover_at=kind.rollover_at))
    code = "meter-backwards" if far is None else "meter-too-fast"
    params = {"value": reading.value, "last": last.value, "read_on": last.on.isoformat()}
    raise Problem(422, "invalid-fields", errors=(FieldError(field="value", code=code, params=params),))


@transactional
def judge_reading(company_id: str, reading_id: str, values: dict[str, Any]) -> MeterReading:
    """Say of a doubtful value whether it counts. Raises Problem: `not-found`, `invalid-fields`."""
    row = db.session.get(MeterReading, (company_id, reading_id), with_for_update=True)
    if row is None:
        raise not_found()
    try:
        row.judged = JudgeReadingSchema().load(values)["judged"]
    except ValidationError as error:
        raise invalid(error.normalized_messages()) from error
    db.session.flush()
    return row


def read_meters(company_id: str, asset_id: str) -> list[dict[str, Any]]:
    """Each meter of a machine with its use and readings, as `MeterItem`. Raises Problem `not-found`."""
    tz = _zone(company_id, asset_id)
    kinds = kinds_of(company_id, asset_id)
    rows = queries.readings_of(company_id, asset_id)
    return [
        _meter(kinds.get(meter, MeterKind(meter=meter)), [row for row in rows if row.meter == meter], tz)
        for meter in sorted({row.meter for row in rows} | kinds.keys())
    ]


def _meter(kind: MeterKind, rows: list[MeterReading], tz: str) -> dict[str, Any]:
    use = use_of((core_reading(row, tz) for row in rows), kind)
    held = {each.id for each in use.held}
    rate = rate_of(use, kind) if use.points else None
    return {
        "meter": kind.meter,
        "total": use.last.total if use.points else None,
        "read_on": use.last.on if use.points else None,
        "per_day": round(rate.per_day, 3) if rate else None,
        "spread": round(rate.spread, 3) if rate else None,
        "readings": [shown(row, held=row.id in held) for row in reversed(rows)],
    }


def shown(row: MeterReading, *, held: bool = False) -> dict[str, Any]:
    """A reading as `ReadingItem` takes it."""
    names = ("id", "asset_id", "visit_id", "meter", "value", "unit", "taken_at", "replaced", "judged")
    return {name: getattr(row, name) for name in names} | {"held": held}


def kinds_of(company_id: str, asset_id: str) -> dict[str, MeterKind]:
    """What the plans of a machine know of its meters; the oldest plan that speaks of a meter is believed."""
    found: dict[str, MeterKind] = {}
    for plan in queries.plans_of(company_id, asset_id):
        for trigger in _meters(read_triggers(plan.triggers)[0]):
            found.setdefault(trigger.meter, trigger.gauge)
    return found


def _meters(triggers: Iterable[Any]) -> Iterable[MeterTrigger]:
    for trigger in triggers:
        if isinstance(trigger, MeterTrigger):
            yield trigger
        elif isinstance(trigger, AnyOf | AllOf):
            yield from _meters(trigger.members)


def _zone(company_id: str, asset_id: str) -> str:
    asset = db.session.get(Asset, (company_id, asset_id))
    if asset is None:
        raise not_found()
    site = db.session.get(Site, (company_id, asset.site_id))
    assert site is not None
    return site.tz
