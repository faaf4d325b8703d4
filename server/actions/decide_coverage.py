"""Free or paid, decided for one visit with the pure core and kept on it with every rule that was considered.

Before the work the day that it is planned for counts, once it is finished the day that it was done, both at the site.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from server.domain import coverage
from server.domain.coverage import LineKind, PriceLevel, Unit
from server.domain.local_time import local_date
from server.extensions import db
from server.store.models import Asset, Branch, Contract, PriceItem, Site, Visit
from server.store.queries import coverage as rows
from server.store.queries import visits
from server.text import LOCALES, say
from sync.states import OVER


class Agreements:
    """What a company has agreed, asked for once however many visits are decided in one transaction."""

    def __init__(self, company_id: str) -> None:
        self.company_id = company_id
        self.contracts = functools.cache(lambda customer_id: rows.contracts(company_id, customer_id))
        self.prices = functools.cache(
            lambda kind, branch_id, lists: rows.prices(company_id, kind, branch_id, list(lists))
        )
        self.kind = functools.cache(lambda code: visits.service_kind(company_id, code))
        self.term = functools.cache(lambda code: rows.term(company_id, code))
        self.zones = functools.cache(lambda customer_id: rows.zones(company_id, customer_id))
        self._used: dict[str, frozenset[str]] = {}
        self._places: list[object] = []
        self._assets: dict[str, Asset] = {}

    def know(self, found: Iterable[Visit]) -> None:
        """Load the sites, branches and equipment of these visits at once."""
        every = list(found)
        # Held here, for the session itself forgets what nobody holds.
        self._places += rows.places(self.company_id, {visit.site_id for visit in every})
        self.assets({each for visit in every for each in visit.asset_ids or ()})

    def visits_left(self, contract: Contract, visit: Visit) -> int | None:
        """How many of a contract's visits are left for this one; None if there is no limit."""
        if contract.included_visits is None:
            return None
        if contract.id not in self._used:
            self._used[contract.id] = rows.visits_done(contract, self.zones(contract.customer_id))
        return max(contract.included_visits - len(self._used[contract.id] - {visit.id}), 0)

    def assets(self, ids: Iterable[str]) -> list[Asset]:
        """Equipment by id; what is not there is left out."""
        wanted = set(ids)
        self._assets |= {asset.id: asset for asset in visits.assets(self.company_id, wanted - self._assets.keys())}
        return [self._assets[each] for each in sorted(wanted & self._assets.keys())]


def decide_coverage(visit: Visit, *, now: datetime, agreed: Agreements | None = None) -> None:
    """Decide the visit's coverage and set it; does not commit."""
    site = visits.site(visit.company_id, visit.site_id)
    assert site is not None
    branch = db.session.get(Branch, (visit.company_id, site.branch_id))
    assert branch is not None
    request = _request(visit, site, branch, now, agreed or Agreements(visit.company_id))
    visit.coverage = worded(coverage.to_json(coverage.decide(request))) | {"basis": basis(visit, site.tz)}


def decide_again(visit: Visit) -> None:
    """Decide once more when what was done or found on site is other than what the decision rests on.

    What is closed stays as it is. Does not commit.
    """
    site = visits.site(visit.company_id, visit.site_id)
    if site is None or visit.coverage is None or visit.exec_state == "closed":
        return
    if basis(visit, site.tz) == visit.coverage.get(
        "basis", {"machines": visit.asset_ids, "causes": [], "done_on": None}
    ):
        return
    decided_for = date.fromisoformat(visit.coverage["decided_for"])
    decide_coverage(visit, now=datetime.combine(decided_for, time(12), ZoneInfo(site.tz)))


def basis(visit: Visit, tz: str) -> dict[str, Any]:
    """What a decision rests on of that which is found out on site: machines, causes, the day of the work."""
    done_at = _done_at(visit)
    return {
        "machines": sorted(visit.asset_ids or ()),
        "causes": sorted({f"{found.get('asset_id') or '*'}:{found['cause']}" for found in _causes(visit)}),
        "done_on": local_date(done_at, tz).isoformat() if done_at else None,
    }


def moved_day(visit: Visit, before: datetime | None) -> bool:
    """Whether the visit is planned for another day at its site than `before` was."""
    site = visits.site(visit.company_id, visit.site_id)
    assert site is not None
    days = [local_date(moment, site.tz) if moment else None for moment in (before, visit.planned_start)]
    return days[0] != days[1]


def worded(decision: dict[str, Any]) -> dict[str, Any]:
    """A decision with its sentences in every language, so that a tablet needs no dictionary to say why."""
    for holder in (decision, *decision["lines"], *decision["rules"]):
        reason = holder["reason"]
        params = reason["params"]
        if "cause" in params:
            params = params | {"cause": {locale: say("cause", params["cause"], locale=locale) for locale in LOCALES}}
        reason["text"] = {locale: say("coverage", reason["code"], params, locale) for locale in LOCALES}
    return decision


def _request(
    visit: Visit, site: Site, branch: Branch, now: datetime, agreements: Agreements
) -> coverage.CoverageRequest:
    kind = agreements.kind(visit.kind)
    at = _moment(visit, site, now)
    agreed = agreements.contracts(visit.customer_id)
    lists = tuple(contract.price_list for contract in agreed if contract.price_list)
    found = agreements.prices(visit.kind, branch.id, lists)
    return coverage.CoverageRequest(
        kind=visit.kind,
        kind_in_warranty=bool(kind and kind.included_in_warranty),
        at=at,
        tz=site.tz,
        currency=branch.currency,
        region=branch.name,
        lines=(
            coverage.Line(
                id="labour",
                line=LineKind.LABOUR,
                quantity=(Decimal(visit.service_minutes) / 60).quantize(Decimal("0.01")),
                unit=Unit.HOUR,
            ),
            coverage.Line(id="travel", line=LineKind.TRAVEL, quantity=Decimal(1), unit=Unit.VISIT),
        ),
        machines=tuple(_machine(asset, visit, agreements) for asset in agreements.assets(visit.asset_ids or ())),
        contracts=tuple(_contract(contract, visit, agreements) for contract in agreed),
        prices=(
            *(price for contract in agreed for price in _contract_items(contract)),
            *(_price(item, agreed, branch) for item in found),
        ),
    )


def _moment(visit: Visit, site: Site, now: datetime) -> datetime:
    moment = _done_at(visit) or visit.started_at or visit.planned_start
    if moment is None and visit.due_from is not None:
        moment = datetime.combine(max(visit.due_from, local_date(now, site.tz)), time(12), ZoneInfo(site.tz))
    return moment or now


def _done_at(visit: Visit) -> datetime | None:
    return visit.finished_at if visit.exec_state in OVER else None


def _causes(visit: Visit) -> list[dict[str, Any]]:
    return [found for found in visit.findings or () if found.get("cause")]


def _machine(asset: Asset, visit: Visit, agreements: Agreements) -> coverage.Machine:
    # What was found without naming a machine counts for each that the visit is for.
    causes = frozenset(found["cause"] for found in _causes(visit) if found.get("asset_id") in (None, asset.id))
    return coverage.Machine(name=asset.serial, warranty=_warranty(asset, agreements), causes=causes)


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
    )


def _contract(contract: Contract, visit: Visit, agreements: Agreements) -> coverage.Contract:
    return coverage.Contract(
        number=contract.number,
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        included_kinds=frozenset(contract.included_kinds),
        visits_left=agreements.visits_left(contract, visit),
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
