"""`python -m routing solve PROBLEM.json` and `python -m routing check PROBLEM.json PLAN.json`.

`solve` writes the plan document to the standard output, `check` one line for each broken law; its exit status is 1 if
there is any. The formats: `routing/formats/document.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from routing.check import check
from routing.formats.document import plan_from_document, plan_to_document, problem_from_document
from routing.plan import StopAfter
from routing.solve import solve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 laws broken, 2 files that cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m routing", description="Plan routes, or judge a plan.")
    commands = parser.add_subparsers(dest="command", required=True)
    solving = commands.add_parser("solve", help="print a plan for a problem")
    solving.add_argument("problem", type=Path)
    solving.add_argument("--seconds", type=float, help="stop after so many seconds (10 if nothing is given)")
    solving.add_argument("--iterations", type=int, help="stop after so many iterations; repeatable")
    solving.add_argument("--seed", type=int, default=0)
    solving.add_argument("--start", type=Path, help="a plan to start from; the answer is not worse")
    judging = commands.add_parser("check", help="name every law that a plan breaks")
    judging.add_argument("problem", type=Path)
    judging.add_argument("plan", type=Path)
    options = parser.parse_args(arguments)
    try:
        return _solve(options) if options.command == "solve" else _check(options)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _solve(options: argparse.Namespace) -> int:
    problem = problem_from_document(_read(options.problem))
    seconds = options.seconds if options.seconds or options.iterations else 10.0
    start = plan_from_document(_read(options.start)) if options.start else None
    plan = solve(problem, StopAfter(seconds=seconds, iterations=options.iterations), options.seed, start)
    json.dump(plan_to_document(plan), sys.stdout, ensure_ascii=False, indent=1)
    print()
    return 0


def _check(options: argparse.Namespace) -> int:
    problem = problem_from_document(_read(options.problem))
    violations = check(problem, plan_from_document(_read(options.plan)))
    for violation in violations:
        where = " ".join(str(part) for part in (violation.technician, violation.date, violation.visit_id) if part)
        numbers = " ".join(f"{name}={value}" for name, value in violation.numbers.items())
        print(f"{violation.code}: {where} {numbers}".rstrip())
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
