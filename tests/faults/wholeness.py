"""Is what a database holds whole? The simulator's checker of I3, and what nothing may hold twice (I2)."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

from sync.simulator.checkers.durability import WholeOrNot
from tests.simulator.real.facts import ENTITIES, read_facts


def unwhole(company_id: str) -> list[str]:
    """What does not agree in a company's documents, history, feed, scopes, journal and conflicts, or is there twice.

    Inside an application context, with no transaction open.
    """
    facts = read_facts(company_id)
    checker = WholeOrNot()
    fleet: Any = SimpleNamespace(facts=lambda: facts, side=SimpleNamespace(entities=ENTITIES))
    checker.end(fleet)
    found = [str(one) for one in checker.found]
    for document in facts.truth.documents.values():
        for name, value in document.body.items():
            entries = value if isinstance(value, list) else []
            ids = Counter(one["id"] for one in entries if isinstance(one, dict) and "id" in one)
            found += [f"I2: {name} of {document.id} has {one} {n} times" for one, n in ids.items() if n > 1]
    numbers = Counter((row.device_id, row.n) for row in facts.journal.values() if row.status != "rejected")
    return found + [
        f"I2: number {n} of {device} is taken {times} times" for (device, n), times in numbers.items() if times > 1
    ]
