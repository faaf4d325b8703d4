"""Free or paid, decided for one visit with the pure core, with every rule that was considered.

A visit is looked at in its wire form, stored or not. Before the work the day that it is planned for counts, once it is
finished the day that it was done, both at the site. Visits that are decided alike share one document.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas.entities.base import parse_instant
from server.domain import coverage
from server.domain.coverage import LineKind, PriceLevel, Unit
from server.domain.local_time import local_date
from server.extensions import db
from server.store import documents
from server.store.models import Asset, Branch, Contract, Coverage, PriceItem, Site, Visit
from server.store.queries import coverage as rows
from server.store.queries import visits
from server.text import LOCALES, say
from sync.change import Body, canonical
from sync.states import OVER, PERFORMED, REVIEWED, standing

DECISIONS = UUID("6d3c8f0e-0d52-4c6b-9a53-2f1d8d7f6b1a")
"""The space that the ids of decisions are made in."""

Basis = dict[str, Any]
Lay = Callable[[str, Body], None]
"""Takes a decision's id and its body."""
Making = Callable[[], Iterable[tuple[Body, str]]]
"""Gives visits in their whole wire form, each with its customer."""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """Which decision a visit has, and what it rests on of that which is found out on site."""

    coverage_id: str
    basis: Basis


class Agreements:
    """What a company has agreed, asked for once however many visits are decided in one transaction."""

    def __init__(self, company_id: str, *, lay: Lay | None = None, making: Making = tuple) -> None:
        """Decisions are laid down by `lay`, at once by default; `making`: the visits that are not written yet."""
        self.company_id = company_id
        self._lay: Lay = lay or laying(company_id)
        self._making = making
        self.contracts: Callable[[str], list[Contract]] = functools.cache(
            lambda customer_id: rows.contracts(company_id, customer_id)
        )
        self.prices = functools.cache(
            lambda kind, branch_id, lists: rows.prices(company_id, kind, branch_id, list(lists))
        )
        self.kind = functools.cache(lambda code: visits.service_kind(company_id, code))
        self.term = functools.cache(lambda code: rows.term(company_id, code))
        self.zones = functools.cache(lambda customer_id: rows.zones(company_id, customer_id))
        self.site = functools.cache(lambda site_id: visits.site(company_id, site_id))
        self.branch = functools.cache(lambda branch_id: db.session.get(Branch, (company_id, branch_id)))
        self._used: dict[str, frozenset[str]] = {}
        self._held: set[str] = set()
        self._places: list[object] = []
        self._assets: dict[str, Asset] = {}
        self._decided: dict[tuple[Any, ...], str] = {}
        self._days: dict[str, date] = {}

    def decision(self, alike: tuple[Any, ...], request: Any, day: date) -> str:
        """The id of the decision of a case, laid down as a document; cases that are `alike` are decided once."""
        if alike not in self._decided:
            self._decided[alike] = keep(decision_of(request()), self._lay)
            self._days[self._decided[alike]] = day
        return self._decided[alike]

    def decided_for(self, coverage_id: str) -> date | None:
        """The day that a decision is for."""
        if coverage_id not in self._days:
            found = db.session.get(Coverage, (self.company_id, coverage_id))
            if found is None:
                return None
            self._days[coverage_id] = date.fromisoformat(found.decided_for)
        return self._days[coverage_id]

    def know(self, found: Iterable[Visit]) -> None:
        """Load the sites, branches and equipment of these visits at once."""
        every = list(found)
        # Held here, for the session itself forgets what nobody holds.
        self._places += rows.places(self.company_id, {visit.site_id for visit in every})
        self.assets({each for visit in every for each in visit.asset_ids or ()})

    def hold(
        self, places: Iterable[object], assets: Iterable[Asset], contracts: Mapping[str, Iterable[Contract]]
    ) -> None:
        """Keep what was read already: sites, branches, equipment, and the contracts of the sites' customers."""
        self._places += places
        self._assets |= {asset.id: asset for asset in assets}
        customers = {place.customer_id for place in self._places if isinstance(place, Site)}
        known = {one: sorted(contracts.get(one, ()), key=lambda each: each.number) for one in customers}
        ask = self.contracts
        self.contracts = lambda customer_id: known[customer_id] if customer_id in known else ask(customer_id)

    def hold_limited(self, visit_ids: Iterable[str], site_ids: Iterable[str]) -> None:
        """Hold what `visits_left` may hold for these visits and sites, in one order for all who decide several."""
        self._held.update(rows.hold_of(self.company_id, visit_ids, site_ids))

    def let_go(self) -> None:
        """A savepoint was taken back, and with it the contracts that were held since: they are counted anew."""
        self._held.clear()

    def visits_left(self, contract: Contract, body: Body, customer_id: str) -> int | None:
        """How many of a contract's visits are left for this one; None if there is no limit.

        For one that takes a visit, others who would take one wait until the commit.
        """
        if contract.included_visits is None:
            return None
        if contract.id not in self._held and self._uses(contract, body, customer_id):
            rows.hold(contract)
            self._held.add(contract.id)
            self._used.pop(contract.id, None)
        if contract.id not in self._used:
            self._used[contract.id] = rows.visits_done(contract, self.zones(contract.customer_id))
        used = set(self._used[contract.id])
        for other, whose in self._making():
            (used.add if self._uses(contract, other, whose) else used.discard)(other["id"])
        return max(contract.included_visits - len(used - {body["id"]}), 0)

    def _uses(self, contract: Contract, body: Body, customer_id: str) -> bool:
        """Whether a visit takes one of those that a contract includes, as `rows.visits_done` counts them."""
        if (
            customer_id != contract.customer_id
            or body["kind"] not in contract.included_kinds
            or body["exec_state"] not in PERFORMED | REVIEWED
            or body["performed_by_id"] is None
        ):
            return False
        site: Site | None = self.site(body["site_id"])
        at = parse_instant(body["finished_at"]) or parse_instant(body["started_at"])
        return bool(site and at and contract.starts_on <= local_date(at, site.tz) <= contract.ends_on)

    def reading(self, asset: Asset, body: Body, at: datetime) -> Decimal | None:
        """What the meter that a machine's warranty goes by shows: as read at the visit, else as last read before it.

        None where the warranty goes by no meter, or it was never read.
        """
        term = self.term(asset.warranty_term)
        if term is None or term.meter is None:
            return None
        own = [one for one in body["readings"] if one["asset_id"] == asset.id and one["meter"] == term.meter]
        if own:
            return Decimal(str(max(own, key=lambda one: (one.get("at_corrected") or one["at"], one["id"]))["value"]))
        found = rows.last_reading(self.company_id, asset.id, term.meter, at)
        return None if found is None else Decimal(str(found))

    def assets(self, ids: Iterable[str]) -> list[Asset]:
        """Equipment by id; what is not there is left out."""
        wanted = set(ids)
        if unknown := wanted - self._assets.keys():
            self._assets |= {asset.id: asset for asset in visits.assets(self.company_id, unknown)}
        return [self._assets[each] for each in sorted(wanted & self._assets.keys())]


def decide_coverage(visit: Visit, *, now: datetime, agreed: Agreements | None = None) -> None:
    """Decide the visit's coverage and refer to it; does not commit."""
    decided = decide(documents.current_body(visit), visit.customer_id, agreed or Agreements(visit.company_id), now)
    visit.coverage_id, visit.coverage_basis = decided.coverage_id, decided.basis


def decide(body: Body, customer_id: str, agreed: Agreements, now: datetime) -> Decided:
    """Decide the coverage of a visit in its whole wire form; the decision is laid down."""
    site: Site | None = agreed.site(body["site_id"])
    assert site is not None
    branch: Branch | None = agreed.branch(site.branch_id)
    assert branch is not None
    contracts = agreed.contracts(customer_id)
    at = _moment(body, site.tz, now)
    day = local_date(at, site.tz)
    found = basis(body, site.tz)
    left = tuple(agreed.visits_left(contract, body, customer_id) for contract in contracts)
    assets = tuple(body["asset_ids"])
    read = {asset.id: agreed.reading(asset, body, at) for asset in agreed.assets(assets)}
    alike = (
        body["kind"], site.id, customer_id, assets, tuple(found["causes"]), body["service_minutes"], day, left,
        tuple(read.values()),
    )  # fmt: skip
    decided = agreed.decision(alike, lambda: _request(body, site, branch, contracts, left, at, agreed, read), day)
    return Decided(coverage_id=decided, basis=found)


def decide_again(body: Body, customer_id: str, before: Basis | None, agreed: Agreements) -> Decided | None:
    """Decide once more when what was done or found on site is other than what the decision rests on, `before`.

    None leaves it: what is closed stays as it is.
    """
    site: Site | None = agreed.site(body["site_id"])
    if site is None or body["coverage_id"] is None or body["exec_state"] == "closed":
        return None
    if basis(body, site.tz) == (before or {"machines": sorted(body["asset_ids"]), "causes": [], "done_on": None}):
        return None
    day = agreed.decided_for(body["coverage_id"])
    if day is None:
        return None
    return decide(body, customer_id, agreed, datetime.combine(day, time(12), ZoneInfo(site.tz)))


def basis(body: Body, tz: str) -> Basis:
    """What a decision rests on of that which is found out on site: machines, causes, the day of the work."""
    done_at = _done_at(body)
    return {
        "machines": sorted(body["asset_ids"]),
        "causes": sorted({f"{found.get('asset_id') or '*'}:{found['cause']}" for found in _causes(body)}),
        "done_on": local_date(done_at, tz).isoformat() if done_at else None,
    } | ({"readings": _readings(body)} if body["readings"] else {})


def _readings(body: Body) -> list[str]:
    return sorted(f"{one['asset_id']}:{one['meter']}:{one['value']}" for one in body["readings"])


def moved_day(visit: Visit, before: datetime | None) -> bool:
    """Whether the visit is planned for another day at its site than `before` was."""
    site = visits.site(visit.company_id, visit.site_id)
    assert site is not None
    days = [local_date(moment, site.tz) if moment else None for moment in (before, visit.planned_start)]
    return days[0] != days[1]


def decision_of(request: coverage.CoverageRequest) -> dict[str, Any]:
    """A decision in JSON, in words; a line says in `if_cause` what a cause that changes it would make of it."""
    decision: dict[str, Any] = coverage.to_json(coverage.decide(request))
    found = coverage.if_found(request)
    for line in decision["lines"]:
        if causes := found.get(line["line_id"]):
            line["if_cause"] = {cause: coverage.to_json(then) for cause, then in causes.items()}
    return worded(decision)


def worded(decision: dict[str, Any]) -> dict[str, Any]:
    """A decision with its sentences in every language, so that a tablet needs no dictionary to say why."""
    then = [case for line in decision["lines"] for case in line.get("if_cause", {}).values()]
    for holder in (decision, *decision["lines"], *decision["rules"], *then):
        reason = holder["reason"]
        params = reason["params"]
        if "cause" in params:
            params = params | {"cause": {locale: say("cause", params["cause"], locale=locale) for locale in LOCALES}}
        reason["text"] = {locale: say("coverage", reason["code"], params, locale) for locale in LOCALES}
    return decision


def keep(decision: dict[str, Any], lay: Lay) -> str:
    """Lay a decision down as a document of its own; visits that are decided alike share it. Its id."""
    decision_id = documents.content_id(DECISIONS, canonical(decision))
    body = {name: value for name, value in decision.items() if name != "rules"} | {"considered": decision["rules"]}
    lay(decision_id, {"id": decision_id} | body)
    return decision_id


def laying(company_id: str) -> Lay:
    """Lay decisions down for a company at once."""
    return functools.partial(documents.lay, company_id, "coverage")


def _request(
    body: Body,
    site: Site,
    branch: Branch,
    contracts: list[Contract],
    left: tuple[int | None, ...],
    at: datetime,
    agreed: Agreements,
    read: Mapping[str, Decimal | None],
) -> coverage.CoverageRequest:
    kind = agreed.kind(body["kind"])
    lists = tuple(contract.price_list for contract in contracts if contract.price_list)
    found = agreed.prices(body["kind"], branch.id, lists)
    return coverage.CoverageRequest(
        kind=body["kind"],
        kind_in_warranty=bool(kind and kind.included_in_warranty),
        at=at,
        tz=site.tz,
        currency=branch.currency,
        region=branch.name,
        lines=(
            coverage.Line(
                id="labour",
                line=LineKind.LABOUR,
                quantity=(Decimal(body["service_minutes"]) / 60).quantize(Decimal("0.01")),
                unit=Unit.HOUR,
            ),
            coverage.Line(id="travel", line=LineKind.TRAVEL, quantity=Decimal(1), unit=Unit.VISIT),
        ),
        machines=tuple(_machine(asset, body, agreed, read[asset.id]) for asset in agreed.assets(body["asset_ids"])),
        contracts=tuple(_contract(contract, visits) for contract, visits in zip(contracts, left, strict=True)),
        prices=(
            *(price for contract in contracts for price in _contract_items(contract)),
            *(_price(item, contracts, branch) for item in found),
        ),
    )


def _moment(body: Body, tz: str, now: datetime) -> datetime:
    moment = _done_at(body) or parse_instant(body["started_at"]) or parse_instant(body["planned_start"])
    if moment is None and body["due_from"] is not None:
        due_from = date.fromisoformat(body["due_from"])
        moment = datetime.combine(max(due_from, local_date(now, tz)), time(12), ZoneInfo(tz))
    return moment or now


def _done_at(body: Body) -> datetime | None:
    return parse_instant(body["finished_at"]) if body["exec_state"] in OVER else None


def _causes(body: Body) -> list[dict[str, Any]]:
    """The findings with a cause."""
    return [found for found in standing(body["findings"]) if found.get("cause")]


def _machine(asset: Asset, body: Body, agreed: Agreements, reading: Decimal | None) -> coverage.Machine:
    # What was found without naming a machine counts for each that the visit is for.
    causes = frozenset(found["cause"] for found in _causes(body) if found.get("asset_id") in (None, asset.id))
    return coverage.Machine(name=asset.serial, warranty=_warranty(asset, agreed), meter_reading=reading, causes=causes)


def _warranty(asset: Asset, agreements: Agreements) -> coverage.Warranty | None:
    term = agreements.term(asset.warranty_term)
    if term is None or asset.warranty_starts_on is None or asset.warranty_ends_on is None:
        return None
    covers = {
        LineKind.LABOUR: term.covers_labour,
        LineKind.PARTS: term.covers_parts,
        LineKind.TRAVEL: term.covers_travel,
    }
    return coverage.Warranty(
        term=term.code,
        starts_on=asset.warranty_starts_on,
        ends_on=asset.warranty_ends_on,
        covers=frozenset(line for line, covered in covers.items() if covered),
        exclusions=frozenset(term.excluded_causes),
        meter=term.meter,
        meter_limit=None if term.meter_limit is None else Decimal(term.meter_limit),
    )


def _contract(contract: Contract, visits_left: int | None) -> coverage.Contract:
    return coverage.Contract(
        number=contract.number,
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        included_kinds=frozenset(contract.included_kinds),
        visits_left=visits_left,
    )


def _contract_items(contract: Contract) -> list[coverage.PriceItem]:
    return [
        coverage.PriceItem(
            id=f"{contract.number}/{position}",
            level=PriceLevel.CONTRACT_ITEM,
            line=LineKind(item["line"]),
            unit=Unit(item["unit"]),
            amount=Decimal(item["amount"]),
            currency=contract.currency,
            kind=item.get("kind"),
            contract=contract.number,
        )
        for position, item in enumerate(contract.items)
    ]


def _price(item: PriceItem, agreed: list[Contract], branch: Branch) -> coverage.PriceItem:
    contract = next((one.number for one in agreed if one.price_list == item.list_code), None)
    level = PriceLevel.CONTRACT_LIST if contract else PriceLevel.REGIONAL if item.branch_id else PriceLevel.BASE
    return coverage.PriceItem(
        id=item.id,
        level=level,
        line=LineKind(item.line),
        unit=Unit(item.unit),
        amount=item.amount,
        currency=item.currency,
        kind=None if item.kind == "*" else item.kind,
        contract=contract,
        region=branch.name if level is PriceLevel.REGIONAL else None,
        valid_from=item.valid_from,
        valid_to=item.valid_to,
    )
