from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select

from server.extensions import db
from server.store.models import (
    Asset,
    Branch,
    Company,
    Contract,
    Document,
    MaintenancePlan,
    MeterReading,
    Occurrence,
    ServiceKind,
    Site,
    SiteCalendar,
    Visit,
)
from server.store.rows import chunks


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A visit that has ended on site, without the rest of its document."""

    id: str
    kind: str
    occurrence_id: str | None
    events: list[dict[str, Any]]
    finished_at: datetime
    performed_by_id: str | None
    answers: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class PlanRows:
    """Everything that deciding a batch of plans needs, read at once."""

    company_id: str
    plans: Sequence[MaintenancePlan]
    assets: dict[str, Asset]
    sites: dict[str, Site]
    branches: dict[str, Branch]
    locales: dict[str, str]
    kinds: dict[str, ServiceKind]
    contracts: dict[str, list[Contract]]
    occurrences: dict[str, list[Occurrence]]
    visits: dict[str, Visit]
    finished: dict[str, list[Finished]]
    calendars: dict[str, SiteCalendar] = field(default_factory=dict)
    readings: dict[str, list[MeterReading]] = field(default_factory=dict)
    siblings: dict[str, list[MaintenancePlan]] = field(default_factory=dict)


def company_ids() -> list[str]:
    """All companies of the installation."""
    return list(db.session.scalars(select(Company.id).order_by(Company.id)))


def plan_ids(company_id: str) -> list[str]:
    """All plans of a company, in the order in which they are locked."""
    statement = select(MaintenancePlan.id).where(MaintenancePlan.company_id == company_id)
    return list(db.session.scalars(statement.order_by(MaintenancePlan.id)))


def lock_plans(company_id: str, ids: Sequence[str]) -> list[MaintenancePlan]:
    """Plans by id, each locked until the commit, so that two generators take a plan one after the other."""
    statement = (
        select(MaintenancePlan)
        .where(MaintenancePlan.company_id == company_id, MaintenancePlan.id.in_(ids))
        .order_by(MaintenancePlan.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(statement))


def plans(company_id: str, ids: Sequence[str]) -> list[MaintenancePlan]:
    """Plans by id, without a lock; those that are not there are left out."""
    return list(_by_id(company_id, MaintenancePlan, ids).values())


def visits(company_id: str, ids: Iterable[str]) -> list[Visit]:
    """Visits by id, read anew; those that are not there are left out."""
    return list(_by_id(company_id, Visit, ids).values())


def plan(company_id: str, plan_id: str) -> MaintenancePlan | None:
    """One plan, without a lock."""
    return db.session.get(MaintenancePlan, (company_id, plan_id))


def rows_for(company_id: str, plans: Sequence[MaintenancePlan], since: datetime) -> PlanRows:
    """What is known around some plans; finished visits from `since` on, by asset.

    Answers, readings and other plans of an asset are read only for plans that ask for them.
    """
    assets = _by_id(company_id, Asset, {plan.asset_id for plan in plans})
    sites = _by_id(company_id, Site, {asset.site_id for asset in assets.values()})
    branches = _by_id(company_id, Branch, {site.branch_id for site in sites.values()})
    occurrences = _occurrences(company_id, [plan.id for plan in plans])
    visit_ids = {row.visit_id for rows in occurrences.values() for row in rows if row.visit_id}
    return PlanRows(
        company_id=company_id,
        plans=plans,
        assets=assets,
        sites=sites,
        branches=branches,
        locales={site.id: branches[site.branch_id].locale for site in sites.values()},
        kinds={kind.code: kind for kind in _all(ServiceKind, company_id)},
        contracts=_contracts(company_id, {site.customer_id for site in sites.values()}),
        occurrences=occurrences,
        visits=_by_id(company_id, Visit, visit_ids),
        finished=finished_by_asset(company_id, set(sites), since, answers=any(map(_asks_answers, plans))),
        calendars=_calendars(company_id, sites),
        readings=_readings(company_id, {plan.asset_id for plan in plans if _asks(plan, "meter", "reading")}),
        siblings=_siblings(company_id, {plan.asset_id for plan in plans if _asks(plan, "campaign")}),
    )


def _asks(plan: MaintenancePlan, *words: str) -> bool:
    """Whether a trigger of the plan, or a member of one, is of such a kind or looks at such a source."""
    triggers = [each for each in plan.triggers if isinstance(each, dict)]
    parts = [*triggers, *(member for each in triggers for member in each.get("members") or ())]
    return any(part.get("kind") in words or part.get("source") in words for part in parts if isinstance(part, dict))


def _asks_answers(plan: MaintenancePlan) -> bool:
    return bool(plan.tasks) or _asks(plan, "answer")


def _calendars(company_id: str, sites: Iterable[str]) -> dict[str, SiteCalendar]:
    found: dict[str, SiteCalendar] = {}
    for part in chunks(sorted(sites)):
        statement = select(SiteCalendar).where(SiteCalendar.company_id == company_id, SiteCalendar.site_id.in_(part))
        rows = db.session.scalars(statement.execution_options(populate_existing=True))
        found |= {row.site_id: row for row in rows}
    return found


def _readings(company_id: str, assets: set[str]) -> dict[str, list[MeterReading]]:
    found: dict[str, list[MeterReading]] = defaultdict(list)
    for part in chunks(sorted(assets)):
        statement = select(MeterReading).where(MeterReading.company_id == company_id, MeterReading.asset_id.in_(part))
        for row in db.session.scalars(statement.execution_options(populate_existing=True)):
            found[row.asset_id].append(row)
    return found


def readings_of(company_id: str, asset_id: str) -> list[MeterReading]:
    """All readings of a machine's meters, in order of time."""
    found = _readings(company_id, {asset_id})[asset_id]
    return sorted(found, key=lambda each: (each.taken_at, each.id))


def plans_of(company_id: str, asset_id: str) -> list[MaintenancePlan]:
    """All plans of a machine, the oldest first."""
    return sorted(_siblings(company_id, {asset_id})[asset_id], key=lambda each: each.id)


def _siblings(company_id: str, assets: set[str]) -> dict[str, list[MaintenancePlan]]:
    """All plans of some assets."""
    found: dict[str, list[MaintenancePlan]] = defaultdict(list)
    for part in chunks(sorted(assets)):
        statement = select(MaintenancePlan).where(
            MaintenancePlan.company_id == company_id, MaintenancePlan.asset_id.in_(part)
        )
        for row in db.session.scalars(statement):
            found[row.asset_id].append(row)
    return found


def site_calendar(company_id: str, site_id: str) -> SiteCalendar | None:
    """The calendar of a site, if it has one of its own."""
    return db.session.get(SiteCalendar, (company_id, site_id))


def ledger(company_id: str, plan_id: str) -> list[Occurrence]:
    """The stored ledger of a plan, by due date."""
    return sorted(_occurrences(company_id, [plan_id])[plan_id], key=lambda row: (row.due_on, row.trigger_id))


def _all(model: Any, company_id: str) -> list[Any]:
    return list(db.session.scalars(select(model).where(model.company_id == company_id)))


def _by_id(company_id: str, model: Any, ids: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in chunks(sorted(ids)):
        statement = select(model).where(model.company_id == company_id, model.id.in_(part))
        rows = db.session.scalars(statement.execution_options(populate_existing=True))
        found |= {item.id: item for item in rows}
    return found


def _occurrences(company_id: str, plans: Sequence[str]) -> dict[str, list[Occurrence]]:
    found: dict[str, list[Occurrence]] = defaultdict(list)
    statement = select(Occurrence).where(Occurrence.company_id == company_id, Occurrence.plan_id.in_(plans))
    for row in db.session.scalars(statement.execution_options(populate_existing=True)):
        found[row.plan_id].append(row)
    return found


def _contracts(company_id: str, customers: set[str]) -> dict[str, list[Contract]]:
    found: dict[str, list[Contract]] = defaultdict(list)
    statement = select(Contract).where(Contract.company_id == company_id, Contract.customer_id.in_(sorted(customers)))
    for row in db.session.scalars(statement):
        found[row.customer_id].append(row)
    return found


def finished_by_asset(
    company_id: str, sites: set[str], since: datetime, *, answers: bool = False
) -> dict[str, list[Finished]]:
    """Visits that ended at some sites, from `since` on, by asset; each asset's in order of time."""
    found: dict[str, list[Finished]] = defaultdict(list)
    statement = select(
        *((Visit.answers,) if answers else ()),
        Visit.id,
        Visit.kind,
        Visit.occurrence_id,
        Visit.events,
        Visit.finished_at,
        Visit.performed_by_id,
        Visit.asset_ids,
    ).where(Visit.company_id == company_id, Visit.site_id.in_(sorted(sites)), Visit.finished_at >= since)
    for row in db.session.execute(statement.order_by(Visit.finished_at, Visit.id)):
        values = row._asdict()
        assets = values.pop("asset_ids")
        visit = Finished(**values)
        for asset_id in assets:
            found[asset_id].append(visit)
    return found


def last_finished(company_id: str, sites: Sequence[str], count: int) -> dict[str, list[Finished]]:
    """The last visits that ended at each piece of equipment of some sites, at most `count`, the latest first."""
    if db.engine.dialect.name == "sqlite":
        machine = func.json_each(Visit.asset_ids).table_valued("value", joins_implicitly=True).c.value
    else:
        machine = func.jsonb_array_elements_text(Visit.asset_ids).column_valued("machine", joins_implicitly=True)
    place = func.row_number().over(partition_by=machine, order_by=(Visit.finished_at.desc(), Visit.id.desc()))
    ranked = (
        select(Visit.id, machine.label("machine"), place.label("place"))
        .where(Visit.company_id == company_id, Visit.site_id.in_(sites), Visit.finished_at.is_not(None))
        .subquery()
    )
    statement = (
        select(
            ranked.c.machine,
            Visit.id,
            Visit.kind,
            Visit.occurrence_id,
            Visit.events,
            Visit.finished_at,
            Visit.performed_by_id,
        )
        .join(ranked, ranked.c.id == Visit.id)
        .where(Visit.company_id == company_id, ranked.c.place <= count)
        .order_by(ranked.c.place)
    )
    found: dict[str, list[Finished]] = defaultdict(list)
    for row in db.session.execute(statement):
        values = row._asdict()
        found[str(values.pop("machine"))].append(Finished(**values))
    return found


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a visit tells of the equipment: its summary, and its entries as the wire has them."""

    summary: str | None
    readings: list[dict[str, Any]]
    findings: list[dict[str, Any]]


def seen_on(company_id: str, ids: Iterable[str]) -> dict[str, Seen]:
    """What visits tell of the equipment, by visit."""
    found: dict[str, Seen] = {}
    for part in chunks(sorted(ids)):
        statement = select(Visit.id, Visit.work_summary, Visit.readings, Visit.findings).where(
            Visit.company_id == company_id, Visit.id.in_(part)
        )
        for row in db.session.execute(statement):
            found[row.id] = Seen(summary=row.work_summary, readings=row.readings, findings=row.findings)
    return found


def finished_before(company_id: str, moment: datetime, limit: int) -> list[str]:
    """Visits to retire: ended before `moment`, or cancelled or merged and unchanged since; none that is archived."""
    ended = Visit.finished_at < moment
    dropped = Visit.plan_state.in_(["cancelled", "merged"]) & (Document.changed_at < moment)
    statement = (
        select(Visit.id)
        .join(Document, (Document.company_id == Visit.company_id) & (Document.id == Visit.id))
        .where(
            Visit.company_id == company_id, Visit.archived.is_(False), ended | (Visit.finished_at.is_(None) & dropped)
        )
        .order_by(Visit.id)
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def sites_worked_on(company_id: str, since: datetime | None) -> list[str]:
    """Sites where a visit has ended from `since` on (None: ever)."""
    statement = select(Visit.site_id).where(Visit.company_id == company_id, Visit.finished_at.is_not(None))
    if since is not None:
        statement = statement.where(Visit.finished_at >= since)
    return list(db.session.scalars(statement.distinct().order_by(Visit.site_id)))


def assets_at(company_id: str, sites: Sequence[str]) -> list[Asset]:
    """All assets that stand at some sites."""
    statement = select(Asset).where(Asset.company_id == company_id, Asset.site_id.in_(sites)).order_by(Asset.id)
    return list(db.session.scalars(statement.execution_options(populate_existing=True)))


def time_zones(company_id: str, sites: Sequence[str]) -> dict[str, str]:
    """The zone of each site."""
    statement = select(Site.id, Site.tz).where(Site.company_id == company_id, Site.id.in_(sites))
    return {row.id: row.tz for row in db.session.execute(statement)}


def plans_called(name: str) -> list[MaintenancePlan]:
    """The plans of this id or, by company, of this reference."""
    try:
        plan_id: str | None = str(UUID(name))
    except ValueError:
        plan_id = None
    called = MaintenancePlan.id == plan_id if plan_id else MaintenancePlan.external_ref == name
    return list(db.session.scalars(select(MaintenancePlan).where(called)))


def plans_named(part: str, limit: int) -> list[tuple[MaintenancePlan, str]]:
    """Plans with the serial number of their asset, where `part` is in the name, the reference or that number."""
    matches = or_(
        *(
            column.icontains(part, autoescape=True)
            for column in (MaintenancePlan.name, MaintenancePlan.external_ref, Asset.serial)
        )
    )
    statement = (
        select(MaintenancePlan, Asset.serial)
        .join(Asset, (Asset.company_id == MaintenancePlan.company_id) & (Asset.id == MaintenancePlan.asset_id))
        .where(matches)
        .order_by(MaintenancePlan.name, Asset.serial, MaintenancePlan.id)
        .limit(limit)
    )
    return [(plan, serial) for plan, serial in db.session.execute(statement)]
