"""One device's push sorted out: what was seen before, what is next, and which numbers were used twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sync.change import Mutation


@dataclass(frozen=True, kw_only=True)
class Sorted:
    """`fresh` in the device's own order; `forks` are ids whose number another mutation of this device already has:
    a copied token or a restored tablet."""

    fresh: tuple[Mutation, ...]
    seen: tuple[Mutation, ...]
    forks: tuple[str, ...]


def sort_push(mutations: Sequence[Mutation], *, seen_ids: Iterable[str], numbers: dict[int, str]) -> Sorted:
    """Sort a push. Nothing is refused here.

    `numbers` holds those of the push's numbers that the device has used before -> the mutation's id.
    """
    known = set(seen_ids)
    fresh: list[Mutation] = []
    repeated: list[Mutation] = []
    for mutation in mutations:
        (repeated if mutation.id in known else fresh).append(mutation)
        known.add(mutation.id)
    taken = dict(numbers)
    forks = tuple(m.id for m in fresh if taken.setdefault(m.n, m.id) != m.id)
    return Sorted(fresh=tuple(sorted(fresh, key=lambda m: m.n)), seen=tuple(repeated), forks=forks)
