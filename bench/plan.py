"""Equal seconds for PyVRP raw, VROOM raw and the planner, on generated days over real places; each through the judge.

    python bench/plan.py [--seconds 3] [--seed 1] [--case small|day|week|overfull|all]

Raw means: the engine alone, its orders made legal by leaving out what breaks a law, nothing put back. The columns
are the planner's own objective (seconds of travel, docs/routing-model.md), not what an engine optimises inside.
The last line is one JSON document with all figures and the seed.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import json
import random
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from routing import engines  # noqa: E402
from routing.check import check  # noqa: E402
from routing.frame import Frame, build_frame  # noqa: E402
from routing.insert import Orders, best_insertions  # noqa: E402
from routing.plan import Plan, StopAfter  # noqa: E402
from routing.problem import (  # noqa: E402
    Break,
    Grant,
    Point,
    Problem,
    TechnicianDay,
    Visit,
    Window,
    build_problem,
)
from routing.repair import legalise, place_pinned, repair  # noqa: E402
from routing.solve import plan_of, solve  # noqa: E402
from routing.travel import great_circle_m  # noqa: E402

SITES = ROOT / "server" / "demo" / "data" / "sites-andorra.csv"
MONDAY = dt.date(2026, 3, 2)
HOUR, DAY = 3600, 86_400


@dataclass(frozen=True, kw_only=True)
class Case:
    """One size of company; `seconds` for each competitor."""

    name: str
    visits: int
    technicians: int
    days: int
    seconds: float


CASES = {
    "small": Case(name="small", visits=40, technicians=6, days=1, seconds=1),
    "day": Case(name="day", visits=150, technicians=20, days=1, seconds=3),
    "overfull": Case(name="overfull", visits=220, technicians=20, days=1, seconds=3),
    "week": Case(name="week", visits=400, technicians=40, days=5, seconds=15),
}


def places() -> list[Point]:
    """Real places of Andorra where the demo data is there; otherwise points scattered over its valleys."""
    if SITES.exists():
        with SITES.open(encoding="utf-8", newline="") as file:
            return [(float(row["latitude"]), float(row["longitude"])) for row in csv.DictReader(file)]
    rng = random.Random(0)
    valleys = [((42.43, 1.46), (42.51, 1.53)), ((42.51, 1.53), (42.57, 1.49)), ((42.51, 1.53), (42.57, 1.73))]
    scattered = []
    for _ in range(700):
        (a, b), (c, d) = rng.choice(valleys)
        share = rng.random()
        scattered.append((a + share * (c - a) + rng.gauss(0, 0.005), b + share * (d - b) + rng.gauss(0, 0.005)))
    return scattered


def company(case: Case, seed: int) -> Problem:
    """Windows, skills, certificates, two branches, breaks, some overtime, due dates, preferred people."""
    rng = random.Random(seed)
    sites = places()
    midnight = int(dt.datetime.combine(MONDAY, dt.time(), dt.UTC).timestamp())
    codes = ["refrigeration", "gas", "electrics"]
    depot = {"north": rng.choice(sites), "south": rng.choice(sites)}
    days = []
    for t in range(case.technicians):
        home, branch = rng.choice(sites), rng.choice(["north", "south"])
        start = home if rng.random() < 0.7 else depot[branch]
        skills = {code: Grant(level=rng.randint(1, 3)) for code in codes if rng.random() < 0.65}
        if "gas" in skills and rng.random() < 0.3:
            skills["gas"] = Grant(level=2, expires=MONDAY + dt.timedelta(days=rng.randint(0, 6)))
        for d in range(case.days):
            noon = midnight + d * DAY
            days.append(
                TechnicianDay(
                    technician=f"t{t:02}",
                    date=MONDAY + dt.timedelta(days=d),
                    start=start,
                    end=start,
                    shift_start=noon + 8 * HOUR,
                    shift_end=noon + 17 * HOUR,
                    pause=Break(earliest=noon + 12 * HOUR, latest=noon + 14 * HOUR, length_s=45 * 60),
                    skills=skills,
                    branch=branch,
                    max_overtime_s=HOUR if rng.random() < 0.3 else 0,
                )
            )
    visits = []
    for i in range(case.visits):
        roll, windows = rng.random(), ()
        if roll < 0.25:
            start, d = rng.choice([8, 10, 13, 15]), rng.randrange(case.days)
            windows = (Window(start=midnight + d * DAY + start * HOUR, end=midnight + d * DAY + (start + 2) * HOUR),)
        elif roll < 0.35:
            windows = tuple(
                Window(start=midnight + d * DAY + a * HOUR, end=midnight + d * DAY + b * HOUR)
                for d in range(case.days)
                for a, b in ((9, 12), (14, 16))
            )
        due = rng.randint(0, 25) if rng.random() < 0.6 else None
        visits.append(
            Visit(
                id=f"v{i:04}",
                point=rng.choice(sites),
                service_s=rng.choice([20, 30, 45, 60, 90]) * 60,
                windows=windows,
                skills={rng.choice(codes): rng.randint(1, 2)} if rng.random() < 0.5 else {},
                priority=rng.choices([0, 1, 2, 3], [15, 60, 20, 5])[0],
                due_to=None if due is None else midnight + due * DAY + 17 * HOUR,
                hard_due=due is not None and rng.random() < 0.3,
                branch=rng.choice(["north", "south"]) if rng.random() < 0.2 else None,
                preferred=f"t{rng.randrange(case.technicians):02}" if rng.random() < 0.15 else None,
            )
        )
    return build_problem(visits, days)


Competitor = Callable[[Problem, Frame, float, int], Plan | None]


def _legal(frame: Frame, orders: Orders | None) -> Plan | None:
    return None if orders is None else plan_of(frame, place_pinned(frame, legalise(frame, orders)))


def pyvrp_raw(problem: Problem, frame: Frame, seconds: float, seed: int) -> Plan | None:
    return _legal(frame, engines.pyvrp_orders(frame, seconds=seconds, iterations=None, seed=seed))


def vroom_raw(problem: Problem, frame: Frame, seconds: float, seed: int) -> Plan | None:
    return _legal(frame, engines.vroom_orders(frame, seconds=seconds))


def pyvrp_repaired(problem: Problem, frame: Frame, seconds: float, seed: int) -> Plan | None:
    orders = engines.pyvrp_orders(frame, seconds=seconds, iterations=None, seed=seed)
    return None if orders is None else plan_of(frame, repair(frame, orders))


def vroom_repaired(problem: Problem, frame: Frame, seconds: float, seed: int) -> Plan | None:
    orders = engines.vroom_orders(frame, seconds=seconds)
    return None if orders is None else plan_of(frame, repair(frame, orders))


def rounds(problem: Problem, frame: Frame, seconds: float, seed: int) -> Plan | None:
    return solve(problem, StopAfter(seconds=seconds), seed)


COMPETITORS: dict[str, Competitor] = {
    "pyvrp raw": pyvrp_raw,
    "vroom raw": vroom_raw,
    "pyvrp + repair": pyvrp_repaired,
    "vroom + repair": vroom_repaired,
    "rounds": rounds,
}


def measure(case: Case, seed: int, seconds: float) -> list[dict[str, object]]:
    """One row for each competitor."""
    problem = company(case, seed)
    frame = build_frame(problem)
    rows = []
    for name, compete in COMPETITORS.items():
        began = time.perf_counter()
        plan = compete(problem, frame, seconds, seed)
        took = time.perf_counter() - began
        if plan is None:
            continue
        unserved = [0, 0, 0, 0]
        for left in plan.unassigned:
            unserved[problem.visit_by_id[left.visit_id].priority] += 1
        rows.append(
            {
                "case": case.name,
                "who": name,
                "seconds": round(took, 2),
                "objective_h": round(plan.objective.total / HOUR, 1),
                "travel_h": round(plan.objective.travel_s / HOUR, 1),
                "unserved": plan.objective.unassigned,
                "unserved_urgent_high_normal_low": unserved[::-1],
                "overtime_min": plan.objective.overtime_s // 60,
                "violations": len(check(problem, plan)),
            }
        )
    return rows


def by_the_way(seed: int) -> dict[str, float]:
    """Milliseconds of what people wait for besides: all distances of a large day, the best places of a visit in it."""
    problem = company(CASES["overfull"], seed)
    began = time.perf_counter()
    great_circle_m([visit.point for visit in problem.visits])
    distances = time.perf_counter() - began
    plan = solve(problem, StopAfter(iterations=1), seed)
    visit_id = next(stop.visit_id for route in plan.routes for stop in route.stops)
    began = time.perf_counter()
    best_insertions(problem, plan, visit_id)
    insertions = time.perf_counter() - began
    return {"distances_ms": round(1000 * distances, 1), "insertions_ms": round(1000 * insertions, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, help="the same for every case; otherwise each case has its own")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", choices=[*CASES, "all"], default="all")
    options = parser.parse_args()
    chosen = CASES.values() if options.case == "all" else [CASES[options.case]]
    rows = []
    print(
        f"{'case':10}{'who':16}{'s':>7}{'objective h':>13}{'travel h':>10}{'unserved':>10}"
        "  by class    over min  broken"
    )
    for case in chosen:
        for row in measure(case, options.seed, options.seconds or case.seconds):
            rows.append(row)
            print(
                f"{row['case']:10}{row['who']:16}{row['seconds']:7}{row['objective_h']:13}{row['travel_h']:10}"
                f"{row['unserved']:10}  {row['unserved_urgent_high_normal_low']!s:14}{row['overtime_min']:6}"
                f"{row['violations']:8}",
                flush=True,
            )
    besides = by_the_way(options.seed)
    print(f"220 visits: all distances in {besides['distances_ms']} ms, places for one in {besides['insertions_ms']} ms")
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    source = SITES.name if SITES.exists() else "scattered points"
    told = {"bench": "plan", "seed": options.seed, "places": source, "memory_mb": memory_mb, "rows": rows}
    print(json.dumps(told | besides))


if __name__ == "__main__":
    main()
