"""One device's push sorted out: what was seen before, what is next, and where numbers are missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from sync.change import Mutation

MOST_GAPS = 1000
"""So many missing numbers are named at once; a wild number must not make the list as long as itself."""


@dataclass(frozen=True, kw_only=True)
class Sorted:
    """`fresh` in the device's own order; `gaps` are numbers below the highest that never came; `forks` are
    ids whose number another mutation of this device already has: a copied token or a restored tablet."""

    fresh: tuple[Mutation, ...]
    seen: tuple[Mutation, ...]
    gaps: tuple[int, ...]
    forks: tuple[str, ...]


def sort_push(
    mutations: Sequence[Mutation], *, seen_ids: Iterable[str], numbers: dict[int, str], last_n: int = 0
) -> Sorted:
    """Sort a push. Nothing is refused here.

    `numbers` holds those of the push's numbers that the device has used before -> the mutation's id; `last_n` is
    the highest number seen. `gaps` are the candidates between `last_n` and the push's own numbers.
    """
    known = set(seen_ids)
    fresh: list[Mutation] = []
    repeated: list[Mutation] = []
    for mutation in mutations:
        (repeated if mutation.id in known else fresh).append(mutation)
        known.add(mutation.id)
    taken = dict(numbers)
    forks = tuple(m.id for m in fresh if taken.setdefault(m.n, m.id) != m.id)
    sent = {m.n for m in mutations}
    gaps = tuple(islice((n for n in range(last_n + 1, max(sent, default=0)) if n not in sent), MOST_GAPS))
    return Sorted(fresh=tuple(sorted(fresh, key=lambda m: m.n)), seen=tuple(repeated), gaps=gaps, forks=forks)
