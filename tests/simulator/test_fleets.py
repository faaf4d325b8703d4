"""Random fleets of the simulated company keep every law, whatever goes wrong; the same seed is the same fleet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.entities import COLLECTIONS
from sync.simulator.checkers import CHECKERS
from sync.simulator.run import fingerprint, in_memory, script_of
from sync.simulator.script import FAULTS, choose_faults
from sync.simulator.world import ENTITIES

FLEETS, PART = 1000, 250

INVENTED = {("site", "gate_code"), ("site", "pin"), ("asset", "hours"), ("asset", "lowest_pressure")}
"""Fields of policies that no real collection has yet."""


@pytest.mark.parametrize("first", range(0, FLEETS, PART))
def test_fleets_keep_every_law(first: int) -> None:
    judged: set[str] = set()
    red: list[str] = []
    for seed in range(first, first + PART):
        report = in_memory(script_of(seed, devices=3, operations=40))
        judged |= report.laws
        red += [f"flask simulate --seed {seed}: {violation}" for violation in report.violations]
    assert red == []
    assert judged == {checker.law for checker in CHECKERS}


def test_every_fault_is_in_some_fleet_and_no_fleet_has_fewer_than_two() -> None:
    chosen = [choose_faults(seed) for seed in range(PART)]
    assert {fault for faults in chosen for fault in faults} == set(FAULTS)
    assert min(len(faults) for faults in chosen) >= 4


@pytest.mark.parametrize("devices", [1, 8])
def test_a_fleet_may_be_small_or_large(devices: int) -> None:
    for seed in range(8):
        assert in_memory(script_of(seed, devices=devices, operations=80, faults=FAULTS)).violations == ()


def test_a_seed_is_the_same_fleet_in_every_process() -> None:
    code = (
        "from sync.simulator.run import fingerprint, in_memory, script_of\n"
        "print([fingerprint(in_memory(script_of(s, devices=3, operations=60))) for s in range(12)])"
    )
    here = [fingerprint(in_memory(script_of(seed, devices=3, operations=60))) for seed in range(12)]
    assert len(set(here)) == 12
    for hash_seed in ("1", "2"):
        root = Path(__file__).resolve().parents[2]
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)}
        there = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert there.stdout.strip() == str(here)


def test_the_simulated_company_has_the_rules_of_the_real_one() -> None:
    compared = 0
    for name, kind in ENTITIES.items():
        if name == "part":
            continue
        for field, rule in kind.rules.items():
            if (name, field) not in INVENTED:
                assert COLLECTIONS[name].rules[field] == rule
                compared += 1
    assert compared > 20
