"""Why a plan expects a date, in the reader's language: kinds of work, meters and checklist items by their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from server.store.queries import office
from server.store.queries import plan_names as queries
from server.text import LOCALES, say

Names = Mapping[str, Mapping[str, str]]
"""Names by code, in each language."""

NAMED = frozenset({"meter", "kind", "code", "value"})
"""Parameters of a reason that can be the code of something that has a name, or a yes or no."""


@dataclass(frozen=True, kw_only=True)
class PlanWords:
    """The names that the reasons of one machine's plans are told with; what has no name keeps its code."""

    kinds: Names
    meters: Names
    items: Names

    def say(self, area: str, code: str, params: Mapping[str, Any], locale: str) -> str:
        """The sentence for a reason, names put in."""
        return say(area, code, {name: self._named(code, name, value, params) for name, value in params.items()}, locale)

    def _named(self, code: str, name: str, value: Any, params: Mapping[str, Any]) -> Any:
        if name == "meter":
            return self.meters.get(value, value)
        if name == "kind" and code == "after-event":
            return self.kinds.get(value, value)
        if name == "code" and code.startswith("seen-"):
            return (self.meters if params.get("source") == "reading" else self.items).get(value, value)
        if name == "value" and isinstance(value, bool):
            return {locale: say("work", "answer-yes" if value else "answer-no", {}, locale) for locale in LOCALES}
        return value


def words_about(company_id: str, asset_ids: Iterable[str]) -> dict[str, PlanWords]:
    """The words for the plans of some machines, by machine; read at once."""
    kinds, items = office.kind_names(company_id), queries.item_names(company_id)
    meters = queries.meter_names(company_id, asset_ids)
    return {asset: PlanWords(kinds=kinds, meters=names, items=items) for asset, names in meters.items()}


def words_for(company_id: str, plan_ids: Iterable[str]) -> dict[str, PlanWords]:
    """The words for some plans, by plan."""
    assets = queries.assets_of(company_id, plan_ids)
    words = words_about(company_id, assets.values())
    return {plan: words[asset] for plan, asset in assets.items()}


def tell(company_id: str, asset_id: str, area: str, code: str, params: Mapping[str, Any], locale: str) -> str:
    """One reason about a machine in words; names are read only where it has any."""
    words = words_about(company_id, [asset_id]).get(asset_id) if NAMED & params.keys() else None
    return words.say(area, code, params, locale) if words else say(area, code, params, locale)
