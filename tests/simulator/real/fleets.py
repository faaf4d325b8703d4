"""Fleets in virtual time against the real application: the scripts and the checkers of the simulator."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from sync.client import Replica
from sync.simulator.checkers import every_checker
from sync.simulator.fleet import Report, run
from sync.simulator.script import FAULTS, Script, choose_faults, write_script
from sync.simulator.tablet import Parts
from tests.builders import SmallCompany
from tests.simulator.real.facts import WholeReplica
from tests.simulator.real.side import RealSide

NOT_HERE = {"power", "long", "grant", "compact", "schema", "guard"}
"""What the application has no act for, or what needs a second process."""

REAL_FAULTS = tuple(fault for fault in FAULTS if fault not in NOT_HERE)


def real_script(seed: int, *, devices: int = 3, operations: int = 40) -> Script:
    """The script of a seed, with faults that a real application can meet in one process."""
    return write_script(seed, devices=devices, operations=operations, faults=choose_faults(seed, REAL_FAULTS))


def on_real(
    app: Flask, company: SmallCompany, folder: Path, script: Script, replica: type[Replica] = WholeReplica
) -> Report:
    """Run a script against the application, every checker looking on."""
    return run(script, RealSide(app, company, folder), every_checker(), parts=Parts(replica=replica))
