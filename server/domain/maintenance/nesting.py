"""Greater work contains lesser work: near a yearly service the monthly check gets no visit of its own."""

from __future__ import annotations

from collections.abc import Mapping


def containing(nesting: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """For each trigger all that it contains, directly or through others. A circle contains itself."""
    found = {}
    for greater in nesting:
        seen: set[str] = set()
        ahead = list(nesting[greater])
        while ahead:
            lesser = ahead.pop()
            if lesser not in seen:
                seen.add(lesser)
                ahead += nesting.get(lesser, ())
        found[greater] = frozenset(seen)
    return found


def circles(nesting: Mapping[str, frozenset[str]]) -> list[str]:
    """Triggers that contain themselves."""
    return [each for each, contained in containing(nesting).items() if each in contained]
