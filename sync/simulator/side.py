"""What a fleet needs of a server: one door for devices, one for the office and the operator, and a look inside.

There are three: `memory.MemoryServer`, the real application on a real database (`server/simulation/`), and real
processes over HTTP (`tests/simulator/processes.py`). The same fleets run against each, and the same checkers judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sync.change import Json
from sync.simulator.facts import Entities, Facts, Truth
from sync.simulator.world import Company


class Crashed(BaseException):
    """The server went down in the middle of this; nobody gets an answer. No `except Exception` may keep it."""


class Busy(Exception):
    """The server is there and cannot take this now: try again."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something that the office, the scheduler, the planner or the operator does.

    `name` is a word of `ACTS`; `what` its arguments. Documents are named by their ids, which the fleet chooses.
    """

    name: str
    what: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of an act: done or refused with a code, and the documents whose fields it set."""

    done: bool
    code: str = ""
    value: str = ""
    wrote: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    """Document id -> the fields that were set."""


REFUSED = Outcome(done=False, code="refused")

ACTS = {
    "make-visit": "visit_id, site_id, asset_ids, technician_id, title",
    "edit": "collection, document_id, values",
    "publish": "visits: [[visit_id, technician_id], …] in one transaction",
    "archive": "visit_id",
    "delete": "document_id",
    "resolve": "index of the open conflicts, choice",
    "undo": "index of the resolved conflicts",
    "code": "technician_id; the outcome's value is an enrolment code",
    "revoke": "device_id",
    "grant": "device_id, technician_id: the device holds that person's scope too",
    "ungrant": "device_id, technician_id",
    "begin": "name, collection, document_id, values: a transaction that stays open",
    "commit": "name: the open transaction commits",
    "compact": "tombstones older than the retention go",
    "schema": "the newer form of the collections",
    "guard": "broken: whether tokens can be checked",
}
"""Every act with its arguments; a server names in `can` those that it knows."""


class Side(Protocol):
    """A server, as a fleet sees it. Times are virtual seconds."""

    entities: Entities
    company: Company
    can: frozenset[str]
    """Acts and faults that this server knows: the words of `ACTS`, and `power`, `restore`."""

    def request(self, at: float, token: str, method: str, path: str, body: Json | None) -> tuple[int, Json]:
        """One request of a device; raises Crashed."""

    def act(self, at: float, act: Act) -> Outcome:
        """One act; raises Crashed, or Busy when what it needs is locked."""

    def crash_at(self, step: int, *, power: bool) -> None:
        """Go down at this step (0 is the first) of the next request or act; with `power`, the disk's cache goes too.

        A request that has fewer steps is answered as if nothing were planned.
        """

    def go_down(self, *, power: bool) -> None:
        """Go down now, between two requests."""

    def start(self) -> None:
        """Come up again on what the disk holds."""

    def backup(self) -> None:
        """Keep all that is committed now."""

    def restore(self) -> bool:
        """Go back to the last backup, as another history; False without one."""

    def truth(self) -> Truth:
        """The committed documents now."""

    def facts(self) -> Facts:
        """All that is committed now."""
