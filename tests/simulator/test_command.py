"""`flask simulate`: fleets by command, their last line as JSON."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from server.cli import simulate as command
from sync.simulator.script import Script
from tests.simulator.planted import BUGS


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command.simulate, list(arguments))


def last(result: Result) -> Any:
    return json.loads(result.output.strip().splitlines()[-1])


def test_a_fleet_ends_with_one_line_of_json() -> None:
    result = run("--seed", "7", "--devices", "4", "--operations", "50", "--faults", "offline,kill")
    assert result.exit_code == 0
    told = last(result)
    assert told | {"requests": 0, "kills": 0, "seconds": 0, "laws": 0, "fingerprint": ""} == {
        "seed": 7, "fleets": 1, "devices": 4, "operations": 50, "faults": ["offline", "kill"], "requests": 0,
        "kills": 0, "laws": 0, "violations": 0, "red": [], "fingerprint": "", "seconds": 0,
    }  # fmt: skip
    assert told["requests"] > 20
    assert told["laws"] > 15


def test_the_same_seed_is_the_same_fleet_and_another_is_not() -> None:
    prints = [last(run("--seed", seed))["fingerprint"] for seed in ("3", "3", "4")]
    assert prints[0] == prints[1] != prints[2]


def test_what_cannot_be_is_refused_with_what_can() -> None:
    result = run("--faults", "offline,earthquake")
    assert result.exit_code == 2
    assert "earthquake" in result.output
    assert "no-reply" in result.output
    assert run("--devices", "0").exit_code == 2
    assert run("--seed", "x").exit_code == 2
    assert run("--wat").exit_code == 2


def test_the_history_and_its_picture_can_be_had(tmp_path: Path) -> None:
    drawing = tmp_path / "fleet.svg"
    result = run("--seed", "2", "--faults", "all", "--show", "--picture", str(drawing))
    assert result.exit_code == 0
    assert sum(" send " in line for line in result.output.splitlines()) > 10
    assert drawing.read_text().startswith("<svg")


def test_a_broken_law_is_told_with_a_short_history_and_the_way_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bug = next(bug for bug in BUGS if bug.name == "reassigned stays on A")

    def broken(script: Script) -> Any:
        return bug.run(dataclasses.replace(script))

    monkeypatch.setattr(command, "in_memory", broken)
    monkeypatch.setattr(command, "shortened", lambda report: command.simulator.shortened(report, broken))
    drawing = tmp_path / "short.svg"
    result = run("--seed", "1", "--fleets", "3", "--faults", "reassign", "--picture", str(drawing))
    assert result.exit_code == 1
    assert "flask simulate --seed 1 --devices 3 --operations 40 --faults reassign" in result.output
    assert last(result)["red"] == [1, 2, 3]
    assert "were shortened to 1 in" in result.output
    assert "law 1" in drawing.read_text()
