"""The two engines, each behind one function: orders in (or none), orders out. What they return is never trusted:
`repair` makes it legal and `check` judges it.

VROOM builds a strong start in a second; PyVRP goes deepest where worth is traded against travel. Either may be absent
or fail: the answer is then None and the pipeline goes on with what it has.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from routing import model, worth
from routing.frame import Frame
from routing.insert import Orders
from routing.timing import schedule

if TYPE_CHECKING:
    import pyvrp


def vroom_orders(
    frame: Frame, *, seconds: float | None, exploration: int = 5, start: Sequence[Sequence[int]] | None = None
) -> Orders | None:
    """Orders by VROOM, from `start` if given; None if it is not installed, has nothing to do or refuses.

    `exploration` 0 to 5: for a start that is deepened by others 0 was best in equal time.

    Without `seconds` it runs to its own end, which is repeatable.
    """
    try:
        import vroom
    except ImportError:
        return None
    visits = model.candidates_of(frame)
    if not visits or not frame.n_days:
        return None
    engine_input = vroom.Input()
    places, ends = model.locations_of(frame, visits)
    durations = frame.problem.seconds[np.ix_(np.asarray(places), np.asarray(places))]
    groups, columns = model.price_groups(frame, len(places))
    for g, column in enumerate(columns):
        engine_input.set_durations_matrix(f"p{g}", durations)
        engine_input.set_costs_matrix(f"p{g}", model.cost_matrix(frame, visits, places, column))
    atoms, origin = model.atoms_of(frame), min(s for s, _, _ in frame.shift)
    job_of = {v: j + 1 for j, v in enumerate(visits)}
    for d in range(frame.n_days):
        first, last, overtime = frame.shift[d]
        pause = frame.pause[d]
        steps = []
        if start is not None and start[d]:
            steps = _vroom_steps(frame, d, [v for v in start[d] if v in job_of], job_of)
        engine_input.add_vehicle(
            vroom.Vehicle(
                d + 1,
                start=ends[frame.day_start[d]],
                end=ends[frame.day_end[d]],
                profile=f"p{groups[d]}",
                skills={a + 1 for a in atoms.holds[d]},
                time_window=vroom.TimeWindow(first - origin, last + overtime - origin),
                breaks=[
                    vroom.Break(1, [vroom.TimeWindow(max(0, pause[0] - origin), pause[1] - origin)], service=pause[2])
                ]
                if pause and pause[1] <= last + overtime - pause[2]
                else [],
                steps=steps,
            )
        )
    horizon = max(e + o for _, e, o in frame.shift)
    for location, v in enumerate(visits):
        spans = [(max(low, origin), min(high, horizon)) for low, high in frame.starts[v]]
        engine_input.add_job(
            vroom.Job(
                job_of[v],
                location,
                default_service=int(frame.service[v]),
                skills={a + 1 for a in atoms.needs[v]},
                priority=model.vroom_priority(frame, v),
                time_windows=[vroom.TimeWindow(a - origin, b - origin) for a, b in spans if a <= b],
            )
        )
    timeout = None if seconds is None else timedelta(seconds=max(seconds, 0.05))
    try:
        solution = engine_input.solve(exploration_level=exploration, nb_threads=1, timeout=timeout)
    except (RuntimeError, vroom._vroom.VroomInputException, vroom._vroom.VroomInternalException):
        # A start that breaks a constraint by a second is refused as a whole; the pipeline has a better one anyway.
        return None
    orders: Orders = [[] for _ in range(frame.n_days)]
    table = solution.routes
    if "id" not in table.columns:
        # The table drops columns without a value: not one visit was placed.
        return orders
    for vehicle, kind, job in zip(table["vehicle_id"], table["type"], table["id"], strict=True):
        if kind == "job":
            orders[int(vehicle) - 1].append(visits[int(job) - 1])
    return orders


def _vroom_steps(frame: Frame, d: int, order: Sequence[int], job_of: dict[int, int]) -> list[object]:
    import vroom

    steps: list[object] = [vroom.VehicleStepStart()]
    timed = schedule(frame, d, order)
    placed = frame.pause[d] is None or timed is None
    for i, v in enumerate(order):
        if not placed and timed is not None and timed.pause_start is not None and timed.pause_start <= timed.start[i]:
            steps.append(vroom.VehicleStepBreak(1))
            placed = True
        steps.append(vroom.VehicleStepSingle(job_of[v]))
    if not placed:
        steps.append(vroom.VehicleStepBreak(1))
    return [*steps, vroom.VehicleStepEnd()]


@dataclass(frozen=True, kw_only=True, eq=False)
class PyvrpModel:
    """PyVRP's data with the way back: `visit_of[client]`, and for each visit its clients (windows)."""

    data: pyvrp.ProblemData
    visit_of: tuple[int, ...]
    clients_of: dict[int, tuple[int, ...]]
    clock: model.Clock


def build_pyvrp(frame: Frame) -> PyvrpModel | None:
    """The problem for PyVRP; None when there is nothing to decide."""
    import pyvrp

    visits = model.candidates_of(frame)
    if not visits or not frame.n_days:
        return None
    clock, atoms = model.clock_of(frame), model.atoms_of(frame)
    places, ends = model.locations_of(frame, visits)
    durations = frame.problem.seconds[np.ix_(np.asarray(places), np.asarray(places))]
    groups, columns = model.price_groups(frame, len(places))
    points = frame.problem.places
    depot_of = {place: i for i, place in enumerate(ends)}
    clients: list[pyvrp.Client] = []
    client_groups: list[pyvrp.ClientGroup] = []
    visit_of: list[int] = []
    clients_of: dict[int, tuple[int, ...]] = {}
    for i, v in enumerate(visits):
        load = [1 if a in atoms.needs[v] else 0 for a in range(atoms.count)]
        pieces = [(clock.squeeze(low), clock.squeeze(high)) for low, high in model.pieces_of(frame, v)]
        group = len(client_groups) if len(pieces) > 1 else None
        own = tuple(range(len(clients), len(clients) + len(pieces)))
        if group is not None:
            client_groups.append(pyvrp.ClientGroup(list(own), required=False))
        for low, high in pieces:
            clients.append(
                pyvrp.Client(
                    location=i,
                    delivery=load,
                    service_duration=int(frame.service[v]),
                    tw_early=low,
                    tw_late=high,
                    prize=int(frame.unserved[v]),
                    required=False,
                    group=group,
                )
            )
            visit_of.append(v)
        clients_of[v] = own
    vehicle_types = []
    for d in range(frame.n_days):
        first, last = model.working_span(frame, d, clock)
        overtime = frame.shift[d][2]
        vehicle_types.append(
            pyvrp.VehicleType(
                num_available=1,
                capacity=[len(visits) if a in atoms.holds[d] else 0 for a in range(atoms.count)],
                start_depot=depot_of[frame.day_start[d]],
                end_depot=depot_of[frame.day_end[d]],
                tw_early=first,
                tw_late=last + overtime,
                # Overtime is counted from the hour of the clock, not from a late departure.
                start_late=first if overtime else last + overtime,
                shift_duration=last - first,
                max_overtime=overtime,
                unit_overtime_cost=worth.OVERTIME_FACTOR,
                profile=groups[d],
            )
        )
    data = pyvrp.ProblemData(
        locations=[pyvrp.Location(x=points[p][1], y=points[p][0]) for p in places],
        clients=clients,
        depots=[pyvrp.Depot(location=location) for location in ends.values()],
        vehicle_types=vehicle_types,
        distance_matrices=[model.cost_matrix(frame, visits, places, column) for column in columns],  # type: ignore[misc]
        duration_matrices=[durations] * len(columns),
        groups=client_groups,
    )
    return PyvrpModel(data=data, visit_of=tuple(visit_of), clients_of=clients_of, clock=clock)


def pyvrp_orders(
    frame: Frame,
    *,
    seconds: float | None,
    iterations: int | None,
    seed: int,
    start: Sequence[Sequence[int]] | None = None,
    on_best: Callable[[Orders], None] | None = None,
) -> Orders | None:
    """Orders by PyVRP's iterated local search, from `start` if given; None if it is not installed or cannot begin.

    `on_best` hears of each better feasible solution while the search runs (in PyVRP's terms: not yet repaired).
    """
    try:
        import pyvrp
        from pyvrp.exceptions import PenaltyBoundWarning, ScalingWarning
        from pyvrp.IteratedLocalSearch import IteratedLocalSearchCallbacks, IteratedLocalSearchParams
        from pyvrp.stop import MaxIterations, MaxRuntime, MultipleCriteria
    except ImportError:
        return None
    began = time.perf_counter()
    model_or_none = build_pyvrp(frame)
    if model_or_none is None:
        return None
    built = model_or_none
    criteria: list[object] = []
    if seconds is not None:
        criteria.append(MaxRuntime(max(0.0, seconds - (time.perf_counter() - began))))
    if iterations is not None:
        criteria.append(MaxIterations(iterations))

    class Listener(IteratedLocalSearchCallbacks):
        def on_best(self, best: pyvrp.Solution) -> None:
            if on_best is not None and best.is_feasible():
                on_best(_decode(frame, built, best))

    params = pyvrp.SolveParams(
        ils=IteratedLocalSearchParams(
            num_iters_no_improvement=20_000, history_length=200, exhaustive_on_best=False, callbacks=Listener()
        ),
        penalty=pyvrp.PenaltyParams(max_penalty=1_000.0, solutions_between_updates=100),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        warnings.simplefilter("ignore", ScalingWarning)
        result = pyvrp.solve(
            built.data,
            MultipleCriteria(criteria),  # type: ignore[arg-type]
            seed=seed,
            collect_stats=False,
            display=False,
            params=params,
            initial_solution=None if start is None else _encode(frame, built, start),
        )
    return _decode(frame, built, result.best)


def _encode(frame: Frame, built: PyvrpModel, orders: Sequence[Sequence[int]]) -> pyvrp.Solution:
    """A start for PyVRP: of each visit the client whose window holds the scheduled start."""
    import pyvrp

    routes = []
    for d, order in enumerate(orders):
        timed = schedule(frame, d, order) if order else None
        clients = []
        for i, v in enumerate(order):
            options = built.clients_of.get(v, ())
            if not options:
                continue
            instant = built.clock.squeeze(timed.start[i]) if timed is not None else 0
            clients.append(min(options, key=lambda c: _outside(built.data.client(c), instant)))
        if clients:
            routes.append(pyvrp.Route(built.data, clients, d))
    return pyvrp.Solution(built.data, routes)


def _outside(client: pyvrp.Client, instant: int) -> int:
    return max(client.tw_early - instant, instant - client.tw_late, 0)


def _decode(frame: Frame, built: PyvrpModel, solution: pyvrp.Solution) -> Orders:
    orders: Orders = [[] for _ in range(frame.n_days)]
    for route in solution.routes():
        order = [built.visit_of[activity.idx] for activity in route if activity.is_client()]
        orders[route.vehicle_type()] = list(dict.fromkeys(order))
    return orders
