"""Free or paid, for thousands of visits at once: the core and the words of the product, without its queries."""

from __future__ import annotations

import functools
from datetime import datetime
from decimal import Decimal
from typing import Any

from server.actions.decide_coverage import decision_of
from server.demo.catalogue import base_and_regional
from server.demo.jobs import Job
from server.demo.world import Branch
from server.domain import coverage
from server.domain.coverage import LineKind, Unit
from server.domain.local_time import local_date
from server.text import LOCALES, say


def decide(
    branch: Branch, job: Job, at: datetime, done_at: datetime | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The decision of a visit's coverage at a moment and what it rests on, as `decide_coverage` would keep them."""
    request = coverage.CoverageRequest(
        kind=job.kind.code,
        kind_in_warranty=job.kind.in_warranty,
        at=at,
        tz=branch.tz,
        currency=branch.currency,
        region=branch.name,
        lines=(
            coverage.Line(
                id="labour",
                line=LineKind.LABOUR,
                quantity=(Decimal(job.minutes) / 60).quantize(Decimal("0.01")),
                unit=Unit.HOUR,
            ),
            coverage.Line(id="travel", line=LineKind.TRAVEL, quantity=Decimal(1), unit=Unit.VISIT),
        ),
        machines=(coverage.Machine(name=job.asset.id, warranty=job.asset.warranty),) if job.asset else (),
        contracts=job.site.contracts,
        prices=(*job.site.agreed_prices, *base_and_regional(branch, job.kind.code)),
    )
    done_on = local_date(done_at, branch.tz).isoformat() if done_at else None
    basis = {"machines": [job.asset.id] if job.asset else [], "causes": [], "done_on": done_on}
    if job.asset and job.asset.warranty and coverage.if_found(request):
        return decision_of(request), basis
    decision: dict[str, Any] = coverage.to_json(coverage.decide(request))
    for holder in (decision, *decision["lines"], *decision["rules"]):
        reason = holder["reason"]
        reason["text"] = dict(_words(reason["code"], tuple(sorted(reason["params"].items()))))
    return decision, basis


@functools.lru_cache(maxsize=20_000)
def _words(code: str, params: tuple[tuple[str, Any], ...]) -> dict[str, str]:
    return {locale: say("coverage", code, dict(params), locale) for locale in LOCALES}
