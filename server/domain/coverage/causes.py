"""What a decision would be if something else were found: so that a tablet can say it without asking."""

from __future__ import annotations

from dataclasses import replace

from server.domain.coverage.decide import decide
from server.domain.coverage.values import CoverageRequest, LineDecision


def if_found(request: CoverageRequest) -> dict[str, dict[str, LineDecision]]:
    """Line id -> cause -> the line's decision if the cause were found at every machine, where that is another one.

    Only causes that a warranty of the machines excludes can change anything.
    """
    now = {line.line_id: line for line in decide(request).lines}
    causes = {cause for each in request.machines if each.warranty for cause in each.warranty.exclusions}
    found: dict[str, dict[str, LineDecision]] = {}
    for cause in sorted(causes):
        machines = tuple(replace(each, causes=each.causes | {cause}) for each in request.machines)
        for line in decide(replace(request, machines=machines)).lines:
            before = now[line.line_id]
            if (line.outcome, line.amount) != (before.outcome, before.amount):
                found.setdefault(line.line_id, {})[cause] = line
    return found
