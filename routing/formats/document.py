"""Problems and plans as plain JSON documents and back, without loss.

Instants are Unix seconds, dates ISO text, points [lat, lon]. A problem document may leave out `travel`; then the
great circle model fills the matrices. Unknown keys are refused, so that a misspelt rule is not a missing rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from routing.plan import Objective, Plan, Reason, Route, Stop, Unassigned
from routing.problem import Break, Grant, Pin, Placement, Problem, TechnicianDay, Visit, Window, build_problem

Document = dict[str, Any]


def problem_to_document(problem: Problem) -> Document:
    """The problem with its matrices."""
    return {
        "visits": [_plain(visit) for visit in problem.visits],
        "days": [_plain(day) for day in problem.days],
        "travel": {
            "places": [list(place) for place in problem.places],
            "seconds": problem.seconds.tolist(),
            "metres": problem.metres.tolist(),
        },
    }


def problem_from_document(document: Mapping[str, Any]) -> Problem:
    """Raises ValueError with the name of what is missing, unknown or out of range."""
    _known(document, {"visits", "days", "travel"}, "problem")
    visits = tuple(_visit(entry) for entry in _required(document, "visits"))
    days = tuple(_day(entry) for entry in _required(document, "days"))
    travel = document.get("travel")
    if travel is None:
        return build_problem(visits, days)
    places = tuple(_point(place) for place in _required(travel, "places"))
    shape = (len(places), len(places))
    return Problem(
        visits=visits,
        days=days,
        places=places,
        seconds=np.array(_required(travel, "seconds"), dtype=np.int64).reshape(shape),
        metres=np.array(_required(travel, "metres"), dtype=np.int64).reshape(shape),
    )


def plan_to_document(plan: Plan) -> Document:
    """The plan with its figures and reasons; `objective` also carries the sum `total`."""
    document: Document = _plain(plan)
    document["objective"]["total"] = plan.objective.total
    return document


def plan_from_document(document: Mapping[str, Any]) -> Plan:
    """Raises ValueError with the name of what is missing or unknown."""
    _known(document, {"routes", "unassigned", "objective", "seed", "engines"}, "plan")
    objective = {k: v for k, v in document.get("objective", {}).items() if k != "total"}
    return Plan(
        routes=tuple(_route(entry) for entry in _required(document, "routes")),
        unassigned=tuple(
            Unassigned(
                visit_id=_required(entry, "visit_id"), reasons=tuple(_reason(r) for r in entry.get("reasons", ()))
            )
            for entry in _required(document, "unassigned")
        ),
        objective=_build(Objective, objective),
        seed=document.get("seed", 0),
        engines=tuple(document.get("engines", ())),
    )


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    return value


def _known(document: Mapping[str, Any], names: set[str], what: str) -> None:
    unknown = sorted(set(document) - names)
    if unknown:
        raise ValueError(f"Unknown in {what}: {', '.join(unknown)}.")


def _required(document: Mapping[str, Any], name: str) -> Any:
    if name not in document:
        raise ValueError(f"Missing: {name}.")
    return document[name]


def _build(kind: type[Any], values: Mapping[str, Any]) -> Any:
    _known(values, {field.name for field in fields(kind)}, kind.__name__)
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{kind.__name__}: {error}.") from error


def _changed(document: Mapping[str, Any], **readers: Any) -> Document:
    """The document with the named entries read; absent and null ones stay as they are."""
    read = dict(document)
    for name, reader in readers.items():
        if read.get(name) is not None:
            read[name] = reader(read[name])
    return read


def _point(value: Any) -> tuple[float, float]:
    lat, lon = value
    return float(lat), float(lon)


def _visit(document: Mapping[str, Any]) -> Visit:
    visit: Visit = _build(
        Visit,
        _changed(
            document,
            point=_point,
            windows=lambda spans: tuple(_build(Window, span) for span in spans),
            pinned=lambda pin: _build(Pin, pin),
            current=lambda placement: _build(Placement, placement),
        ),
    )
    return visit


def _day(document: Mapping[str, Any]) -> TechnicianDay:
    day: TechnicianDay = _build(
        TechnicianDay,
        _changed(
            document,
            date=dt.date.fromisoformat,
            start=_point,
            end=_point,
            pause=lambda pause: _build(Break, pause),
            skills=lambda skills: {code: _grant(grant) for code, grant in skills.items()},
        ),
    )
    return day


def _grant(document: Mapping[str, Any]) -> Grant:
    grant: Grant = _build(Grant, _changed(document, expires=dt.date.fromisoformat))
    return grant


def _route(document: Mapping[str, Any]) -> Route:
    route: Route = _build(
        Route,
        _changed(document, date=dt.date.fromisoformat, stops=lambda stops: tuple(_stop(stop) for stop in stops)),
    )
    return route


def _stop(document: Mapping[str, Any]) -> Stop:
    stop: Stop = _build(Stop, _changed(document, why=_reason))
    return stop


def _reason(document: Mapping[str, Any]) -> Reason:
    reason: Reason = _build(Reason, _changed(document, remedy=_reason))
    return reason
