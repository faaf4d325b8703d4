"""A fleet as a script: who is there, and every operation with its time and its faults, made before it runs.

Nothing is decided while a script runs, so that any part of it can be left out and the rest means the same: operations
name documents by their place in a list, ids follow from the operation's number, and a fault belongs to the request
that it hits.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sync.change import Json
from sync.simulator.edits import WRITERS

FAULTS = {
    "offline": "requests that never arrive",
    "no-reply": "the request has its effect, the answer does not arrive",
    "cut": "the answer ends half-way",
    "twice": "a request arrives twice",
    "late": "a request arrives long after it was given up, behind newer ones",
    "overlap": "two windows of one app read at once, and the older answer comes last",
    "kill": "the server dies at any step of a request or of an act",
    "power": "the server's power is cut at any step",
    "die": "the app is killed at any step",
    "battery": "the tablet's battery dies at any step",
    "clock": "tablets' clocks are off by seconds to years, and jump",
    "long": "an office transaction stays open while others commit",
    "reassign": "visits go from one technician to another, are cancelled and taken back",
    "closure": "machines and sites move, visits come and go, so that what they bring along does too",
    "grant": "deputies get a colleague's scope and lose it again",
    "revoke": "tablets are revoked in the middle of work",
    "restore": "the server goes back to a backup",
    "compact": "tombstones are removed while tablets are away",
    "schema": "the server gets a field that older tablets do not know",
    "shared": "two people work on one tablet",
    "liar": "a tablet that sends what it must not",
    "poison": "mutations that cannot be read",
    "hole": "a tablet loses a mutation, or gets an older storage back",
    "guard": "tokens cannot be checked for a while",
}
"""Word -> what happens."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that happens at a time."""

    i: int
    at: float
    actor: str
    do: str
    args: Mapping[str, Json] = field(default_factory=dict)

    def __str__(self) -> str:
        told = " ".join(f"{name}={value}" for name, value in self.args.items() if value not in (None, [], ""))
        return f"{self.i:>4} {self.at:8.1f} s  {self.actor:<10} {self.do} {told}".rstrip()


@dataclass(frozen=True, kw_only=True)
class TabletPlan:
    """A tablet of the fleet."""

    name: str
    people: tuple[int, ...]
    offset_s: float = 0.0
    old: bool = False
    liar: bool = False


@dataclass(frozen=True, kw_only=True)
class Script:
    """A whole fleet."""

    seed: int
    technicians: int
    tablets: tuple[TabletPlan, ...]
    operations: tuple[Operation, ...]
    faults: tuple[str, ...]

    def only(self, operations: Iterable[Operation]) -> Script:
        """The same fleet with fewer operations."""
        return replace(self, operations=tuple(operations))


EDITS = (*WRITERS, "visit", "note", "event", "event", "finish", "access")
"""What people do, as often as they do it."""

ALWAYS = ("offline", "reassign")
"""In every fleet."""


def choose_faults(seed: int, among: Iterable[str] = FAULTS, *, at_once: int = 3) -> tuple[str, ...]:
    """The faults of a fleet: what always is, and up to `at_once` others, at least two where there are so many."""
    dice = random.Random(f"faults {seed}")
    others = [name for name in among if name not in ALWAYS]
    always = [name for name in ALWAYS if name in set(among)]
    chosen = dice.sample(others, min(len(others), dice.randint(2, max(at_once, 2)))) if others else []
    return tuple(sorted({*always, *chosen}))


def write_script(
    seed: int, *, devices: int = 3, operations: int = 40, faults: Iterable[str] = FAULTS, edits: tuple[str, ...] = EDITS
) -> Script:
    """A fleet of `devices` tablets and so many operations, with these faults in it."""
    return _Writing(seed, devices, operations, frozenset(faults), edits).script()


class _Writing:
    """The dice of one script."""

    def __init__(
        self, seed: int, devices: int, operations: int, faults: frozenset[str], edits: tuple[str, ...]
    ) -> None:
        unknown = faults - FAULTS.keys()
        if unknown:
            raise ValueError(f"No such fault: {', '.join(sorted(unknown))}")
        self.seed = seed
        self.devices = devices
        self.count = operations
        self.faults = faults
        self.edits = edits
        self.dice = random.Random(f"script {seed}")
        self.net = [name for name in ("offline", "no-reply", "cut", "twice", "late", "overlap") if name in faults]
        self.crashes = [name for name in ("kill", "power") if name in faults]
        self.deaths = [name for name in ("die", "battery") if name in faults]

    def script(self) -> Script:
        technicians = max(2, (self.devices * 2 + 2) // 3)
        tablets = tuple(self._tablet(n, technicians) for n in range(self.devices))
        weights = self._weights()
        at = 0.0
        made: list[Operation] = []
        for i in range(self.count):
            at += self.dice.choice((0.5, 2.0, 10.0, 60.0))
            do = self.dice.choices(list(weights), list(weights.values()))[0]
            actor, args = getattr(self, f"_{do.replace('-', '_')}")(tablets)
            made.append(Operation(i=i, at=at, actor=actor, do=do, args=args))
        return Script(
            seed=self.seed,
            technicians=technicians,
            tablets=tablets,
            operations=tuple(made),
            faults=tuple(sorted(self.faults)),
        )

    def _tablet(self, n: int, technicians: int) -> TabletPlan:
        people = (n % technicians, (n + 1) % technicians) if "shared" in self.faults and n == 0 else (n % technicians,)
        return TabletPlan(
            name=f"tablet-{n + 1}",
            people=people,
            offset_s=self._offset() if "clock" in self.faults else self.dice.uniform(-2, 2),
            old="schema" in self.faults and n % 2 == 1,
            liar="liar" in self.faults and n == self.devices - 1 and n > 0,
        )

    def _offset(self) -> float:
        scale = self.dice.choice((5.0, 600.0, 86_400.0, 400 * 86_400.0, 20 * 365 * 86_400.0))
        return round(self.dice.uniform(-scale, scale), 1)

    def _weights(self) -> dict[str, float]:
        weights: dict[str, float] = {"edit": 13, "sync": 10, "push": 2, "pull": 3, "make-visit": 3, "office": 4}
        weights |= {"publish": 1, "resolve": 1, "undo": 0.5}
        added: dict[str, dict[str, float]] = {
            "reassign": {"assign": 4, "withdraw": 1, "archive": 0.7},
            "closure": {"move": 3, "assign": 2, "withdraw": 2, "archive": 1, "delete": 0.7},
            "clock": {"jump": 2},
            "long": {"begin": 3, "commit": 3},
            "grant": {"grant": 3, "ungrant": 3, "assign": 2},
            "revoke": {"revoke": 1},
            "restore": {"backup": 2, "restore": 1},
            "compact": {"compact": 3},
            "schema": {"schema": 1.5, "office": 3},
            "liar": {"lie": 4},
            "poison": {"poison": 3},
            "hole": {"lose": 1},
            "guard": {"guard": 1.5},
            "die": {"die": 1},
            "battery": {"battery": 1},
            "kill": {"kill": 0.7},
            "power": {"cut": 0.7},
        }
        for fault, operations in added.items():
            if fault in self.faults:
                for name, weight in operations.items():
                    weights[name] = weights.get(name, 0) + weight
        return weights

    # --- tablets ---

    def _who(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, int]:
        tablet = self.dice.choice(tablets)
        return tablet.name, self.dice.randrange(len(tablet.people))

    def _k(self) -> int:
        return self.dice.randrange(10_000)

    def _edit(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        name, seat = self._who(tablets)
        args: dict[str, Json] = {"seat": seat, "what": self.dice.choice(self.edits), "k": self._k()}
        if self.deaths and self.dice.random() < 0.1:
            args["die"], args["how"] = self.dice.randrange(2), self.dice.choice(self.deaths)
        return name, args

    def _sync(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        name, seat = self._who(tablets)
        args: dict[str, Json] = {"seat": seat, "net": self._outcomes(), "limit": self.dice.choice((2, 5, 20, 200))}
        args["most"] = self.dice.choice((1, 3, 500))
        if self.deaths and self.dice.random() < 0.3:
            args["die"], args["how"] = self.dice.randrange(8), self.dice.choice(self.deaths)
        return name, args

    _push = _sync

    def _pull(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        return self._sync(tablets)

    def _outcomes(self) -> list[str]:
        found = []
        for _ in range(self.dice.randrange(1, 5)):
            fault = "ok"
            if self.net and self.dice.random() < 0.35:
                fault = self.dice.choice(self.net)
                if fault == "late":
                    fault = f"late:{self.dice.choice((5, 60, 300))}"
            if self.crashes and self.dice.random() < 0.25:
                fault = f"{self.dice.choice(self.crashes)}:{self.dice.randrange(16)}"
            found.append(fault)
        return found

    def _jump(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        return self.dice.choice(tablets).name, {"offset_s": self._offset()}

    def _die(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        return self.dice.choice(tablets).name, {}

    _battery = _die

    def _lie(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        liars = [tablet for tablet in tablets if tablet.liar] or list(tablets)
        return liars[-1].name, {"seat": 0, "k": self._k(), "what": self.dice.randrange(100)}

    def _poison(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        name, seat = self._who(tablets)
        return name, {"seat": seat, "k": self._k()}

    def _lose(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        name, seat = self._who(tablets)
        return name, {"seat": seat, "how": self.dice.choice(("one", "one", "older"))}

    # --- office, scheduler, planner, operator ---

    def _crash(self) -> dict[str, Json]:
        if self.crashes and self.dice.random() < 0.15:
            return {"crash": f"{self.dice.choice(self.crashes)}:{self.dice.randrange(12)}"}
        return {}

    def _make_visit(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        actor = self.dice.choice(("office", "scheduler"))
        return actor, {"k": self._k(), "to": self.dice.randrange(6)} | self._crash()

    def _office(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        return "office", {"k": self._k(), "what": self.dice.randrange(8)} | self._crash()

    def _publish(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        pairs = [[self._k(), self._k()] for _ in range(self.dice.randrange(1, 5))]
        return "planner", {"pairs": pairs} | self._crash()

    def _assign(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        return "office", {"k": self._k(), "to": self._k()} | self._crash()

    def _withdraw(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        state = self.dice.choice(("due", "cancelled", "withdrawn", "published"))
        return "office", {"k": self._k(), "state": state} | self._crash()

    def _archive(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        return "scheduler", {"k": self._k()} | self._crash()

    def _delete(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        return "office", {"k": self._k()} | self._crash()

    def _move(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        return "office", {"k": self._k(), "what": self.dice.randrange(3)} | self._crash()

    def _resolve(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        return "office", {"index": self._k(), "choice": self.dice.choice(("mine", "theirs"))} | self._crash()

    def _undo(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        return "office", {"index": self._k()}

    def _begin(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        return "office", {"name": f"open-{self.dice.randrange(2)}", "k": self._k(), "what": self.dice.randrange(8)}

    def _commit(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        return "office", {"name": f"open-{self.dice.randrange(2)}"}

    def _grant(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        name, seat = self._who(tablets)
        return "office", {"tablet": name, "seat": seat, "to": self._k()}

    _ungrant = _grant

    def _revoke(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        name, seat = self._who(tablets)
        return "office", {"tablet": name, "seat": seat}

    def _operator(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        return "operator", {}

    _backup = _restore = _compact = _schema = _kill = _cut = _operator

    def _guard(self, tablets: tuple[TabletPlan, ...]) -> tuple[str, dict[str, Json]]:
        return "operator", {"broken": self.dice.random() < 0.6}
