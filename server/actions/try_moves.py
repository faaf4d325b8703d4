"""What moves would do to a day, worked out by the planner's own judge and roads before anything is moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from server.actions.judge_routes import Broken
from server.actions.move_in_draft import Move
from server.actions.publish_plan import judge_places
from server.actions.shown_day import Place, ShownDay, shown_day
from server.problems import not_found
from server.store.queries import planning
from server.store.transaction import snapshot


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What would change: driving of the whole day, and the rules that would be broken and are not now."""

    extra_s: int
    extra_m: int
    broken: list[Broken]


def try_moves(
    company_id: str, branch_id: str, day: date, alternatives: Sequence[Sequence[Move]], *, now: datetime
) -> list[Outcome]:
    """The outcome of each list of moves on the day as it is shown; nothing is kept. Raises Problem `not-found`."""
    with snapshot():
        branch = planning.branch(company_id, branch_id)
        if branch is None:
            raise not_found()
        shown = shown_day(company_id, branch, day, now=now)
        named = {move.visit_id for moves in alternatives for move in moves}
        places = {place.visit.id: place for place in shown.places}
        others = {row[0].id: row for row in planning.rows_of(company_id, named - places.keys())}
        if named - places.keys() - others.keys():
            raise not_found()
        for visit_id, (visit, site, customer) in others.items():
            places[visit_id] = Place(
                visit=visit, site=site, customer=customer, technician_id="", start=now, end=now
            )  # fmt: skip
        return [_outcome(shown, places, moves, now) for moves in alternatives]


def _outcome(shown: ShownDay, places: dict[str, Place], moves: Sequence[Move], now: datetime) -> Outcome:
    known = {place.visit.id: place for place in shown.places}
    after = dict(known)
    concerned = set()
    for move in moves:
        before = after.pop(move.visit_id, None)
        if before is not None:
            concerned.add(before.technician_id)
        if move.technician_id is None or move.start_at is None:
            continue
        place = places[move.visit_id]
        end = move.end_at or move.start_at + timedelta(minutes=place.visit.service_minutes)
        after[move.visit_id] = replace(place, technician_id=move.technician_id, start=move.start_at, end=end)
        concerned.add(move.technician_id)
    part = replace(shown, people=[one for one in shown.people if one.id in concerned])
    was = judge_places(part, known.values(), now)
    will = judge_places(part, after.values(), now)
    tokens = [(one.token, one.params) for one in was.broken]
    return Outcome(
        extra_s=will.driven().seconds - was.driven().seconds,
        extra_m=will.driven().metres - was.driven().metres,
        broken=[one for one in will.broken if (one.token, one.params) not in tokens],
    )
