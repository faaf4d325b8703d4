"""Campaign: a bulletin asks for work at a machine once, by a date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Self

from server.domain.maintenance.triggers.base import Grid
from server.domain.maintenance.triggers.fields import text
from server.domain.maintenance.values import Plan, Problem, Slot
from server.domain.maintenance.view import PlanView
from server.domain.reason import reason


@dataclass(frozen=True, kw_only=True)
class CampaignTrigger(Grid):
    """One date, `due_on`; the cycle key is the bulletin's number, so that it is done once whatever is edited.

    Only work done for it counts for it, whatever else was done near the date. With `nesting` it takes the next
    maintenance along. A bulletin that another plan of the machine carries out is left to that one.
    """

    id: str
    campaign: str
    due_on: date

    kind: ClassVar[str] = "campaign"
    only_own_work: ClassVar[bool] = True

    def problems(self, plan: Plan) -> tuple[Problem, ...]:
        if not 0 < len(self.campaign) <= 60:
            return (Problem(field="campaign", reason=reason("no-campaign")),)
        if self.due_on < plan.starts_on:
            why = reason("before-start", due_on=self.due_on, starts_on=plan.starts_on)
            return (Problem(field="due_on", reason=why),)
        return ()

    def slots(self, view: PlanView) -> Iterable[Slot]:
        if view.plan.starts_on <= self.due_on <= view.until:
            basis = reason("by-campaign", campaign=self.campaign, due_on=self.due_on)
            yield Slot(key=self.campaign, due_on=self.due_on, basis=basis)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "id": self.id, "campaign": self.campaign, "due_on": self.due_on.isoformat()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            id=document["id"], campaign=text(document["campaign"]), due_on=date.fromisoformat(document["due_on"])
        )
