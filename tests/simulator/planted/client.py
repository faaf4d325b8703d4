"""Bugs of the tablet: storage, queue, cursor, overlay."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sync.change import Json
from sync.client import KEPT, Refused, Replica
from sync.simulator.edits import Edit, Pen, make
from sync.simulator.moments import ident
from sync.simulator.script import Script
from sync.simulator.tablet import Flash, Parts
from tests.simulator.planted.base import Bug, one_tablet


class RelaxedFlash(Flash):
    """The browser says "saved" before the storage has it."""

    strict = False


class LosesDropped(Replica):
    """Unsent edits go with the document."""

    def _forget(self, document_ids: Any, reason: str) -> None:
        gone = list(document_ids)
        super()._forget(gone, reason)
        self.state.outbox = [one for one in self.state.outbox if one["document_id"] not in gone]


class OlderReplaces(Replica):
    """What comes last is taken, whatever its version."""

    def _take(self, change: Mapping[str, Json]) -> None:
        if change["op"] == "put":
            self.state.documents.pop(change["id"], None)
        super()._take(change)


class DeletesOnSend(Replica):
    """What is sent leaves the queue, answered or not."""

    def push(self, *, device_time: str, rtt_ms: float | None = None, most: int = 500) -> list[Json]:
        batch = self._batch(most)
        body = {"device_time": device_time, "rtt_ms": rtt_ms, "mutations": batch}
        self.state.outbox = [one for one in self.state.outbox if one not in batch]
        answer = self._ask("POST", "/sync/v1/push", body)
        for sent, result in zip(batch, answer["results"], strict=True):
            self.state.results[sent["id"]] = result
        results: list[Json] = answer["results"]
        return results


class TakesAnyAnswer(Replica):
    """An answer is an answer: what a server that is busy was sent leaves the queue too."""

    def push(self, *, device_time: str, rtt_ms: float | None = None, most: int = 500) -> list[Json]:
        batch = self._batch(most)
        try:
            return super().push(device_time=device_time, rtt_ms=rtt_ms, most=most)
        except Refused:
            self.state.outbox = [one for one in self.state.outbox if one not in batch]
            raise


class StuckOnRefusal(Replica):
    """A mutation that was rejected stays at the head of the queue."""

    def push(self, *, device_time: str, rtt_ms: float | None = None, most: int = 500) -> list[Json]:
        waiting = list(self.state.outbox)
        results = super().push(device_time=device_time, rtt_ms=rtt_ms, most=most)
        rejected = {result["id"] for result in results if result["status"] == "rejected"}
        if rejected:
            self.state.outbox = [one for one in waiting if one["id"] in rejected] + self.state.outbox
            raise Refused(422, {"code": "stuck"})
        return results


class NewIdOnRetry(Replica):
    """Each attempt is a mutation of its own."""

    def push(self, *, device_time: str, rtt_ms: float | None = None, most: int = 500) -> list[Json]:
        for one in self._batch(most):
            one["id"] = ident("retry", one["id"])
            for entries in one["add"].values():
                for entry in entries:
                    if isinstance(entry, dict):
                        entry["id"] = ident("retry", entry["id"])
        return super().push(device_time=device_time, rtt_ms=rtt_ms, most=most)


class KeepsWhatIsNotNamed(Replica):
    """After a restore what the new baseline does not name stays."""

    def pull(self, limit: int | None = None) -> bool:
        more = super().pull(limit)
        self.state.stale = []
        return more


class ForgetsWhatWasSent(Replica):
    """What was answered is forgotten, whether or not a backup has it."""

    def _keep(self, mutation: dict[str, Json], answer: Mapping[str, Json]) -> None:
        return


class KeepsByOwnClock(Replica):
    """What was answered is kept for fourteen days of the tablet's own clock, whatever that does."""

    def push(self, *, device_time: str, rtt_ms: float | None = None, most: int = 500) -> list[Json]:
        results = super().push(device_time=device_time, rtt_ms=rtt_ms, most=most)
        fresh = {result["id"] for result in results}
        for entry in self.state.kept:
            entry["own"] = device_time if entry["mutation"]["id"] in fresh else entry.get("own", device_time)
        now = datetime.fromisoformat(device_time)
        self.state.kept = [one for one in self.state.kept if now - datetime.fromisoformat(one["own"]) <= KEPT]
        return results


class ThrowsQueueAway(Replica):
    """A new baseline begins with nothing at all."""

    def pull(self, limit: int | None = None) -> bool:
        before = self.state.cursor
        more = super().pull(limit)
        if before is not None and self.state.cursor is None:
            self.state.outbox = []
        return more


class ForgetsOwnWrites(Replica):
    """What was answered is shown again only when it has been read."""

    def push(self, *, device_time: str, rtt_ms: float | None = None, most: int = 500) -> list[Json]:
        results = super().push(device_time=device_time, rtt_ms=rtt_ms, most=most)
        self.state.answered = []
        return results


class WholeDocument(Replica):
    """An edit sends the whole list as it was on the screen."""

    def edit(self, collection: str, document_id: str, **more: Any) -> dict[str, Json]:
        mutation = super().edit(collection, document_id, **more)
        if collection == "site" and mutation["op"] == "update":
            held = self.state.documents[document_id]["document"]
            shown = {name: held[name] for name in ("access_note", "gate_code") if name in held}
            mutation["set"] = shown | mutation["set"]
            mutation["base_version"] = 10**6
        return mutation


class CutsGroups(Replica):
    """A batch is so many mutations, whatever belongs together."""

    def _batch(self, most: int) -> list[dict[str, Json]]:
        return self.state.outbox[:most]


class SharedToken(Replica):
    """Two people on one tablet, one token: what the second wrote goes under the first one's name."""

    tokens: dict[str, str] = {}

    def enrol(self, code: str, *, device_name: str, app_version: str = "reference", schema_version: int = 1) -> None:
        super().enrol(code, device_name=device_name, app_version=app_version, schema_version=schema_version)
        if device_name.endswith(".0"):
            self.tokens[self.state.device_id] = self.state.token
            type(self).tokens = {"": self.state.token}
        self.second = device_name.endswith(".1")

    def push(self, *, device_time: str, rtt_ms: float | None = None, most: int = 500) -> list[Json]:
        own = self.state.token
        if getattr(self, "second", False):
            self.state.token = self.tokens.get("", own)
        try:
            return super().push(device_time=device_time, rtt_ms=rtt_ms, most=most)
        finally:
            self.state.token = own


class RenumbersFrom1(Replica):
    """After a restart the numbers begin anew."""

    @classmethod
    def load(cls, transport: Any, saved: Mapping[str, Json]) -> Replica:
        replica = super().load(transport, saved)
        replica.state.n = len(replica.state.outbox)
        return replica


def counter(pen: Pen, what: str) -> Edit | None:
    """A part is used by writing down how many are left."""
    edit = make(pen, what)
    if edit is None or what != "part":
        return edit
    body = pen.replica.view(edit.document_id) or {}
    used = edit.parts[0]["add"]["movements"][0]["quantity"]
    part = {"set": {"on_hand": body["on_hand"] - used}}
    return Edit(collection=edit.collection, document_id=edit.document_id, parts=(part,))


def clock_set_right(seed: int) -> Script:
    """A tablet works with a clock that is years behind, has it set right, goes on; then the office goes back."""
    return one_tablet(
        seed,
        [
            ("operator", "backup", {}),
            ("tablet-1", "jump", {"offset_s": -100_000_000.0 * (seed + 1)}),
            ("tablet-1", "edit", {"what": "note", "k": seed}),
            ("tablet-1", "sync", {}),
            ("tablet-1", "jump", {"offset_s": 0.0}),
            ("tablet-1", "edit", {"what": "access", "k": seed}),
            ("tablet-1", "sync", {}),
            ("operator", "restore", {}),
        ],
    )


def tablet(name: str, says: str, faults: tuple[str, ...], laws: set[str], part: type[Any], **more: Any) -> Bug:
    def parts() -> Parts:
        return Parts(replica=part) if issubclass(part, Replica) else Parts(flash=part)

    return Bug(name=name, says=says, faults=faults, laws=frozenset(laws), parts=parts, **more)


CLIENT_BUGS: tuple[Bug, ...] = (
    tablet(
        "relaxed durability", '"saved" is said before the storage has it', ("battery", "offline"), {"I4"}, RelaxedFlash
    ),
    tablet(
        "drop loses the queue", "unsent edits go with a dropped document", ("reassign", "offline"), {"I4"}, LosesDropped
    ),
    tablet(
        "older version replaces",
        "an older version takes a newer one's place",
        ("overlap", "reassign"),
        {"law 7"},
        OlderReplaces,
    ),
    tablet(
        "queue emptied on send",
        "what was sent is gone, answered or not",
        ("offline", "no-reply"),
        {"I4", "I10"},
        DeletesOnSend,
    ),
    tablet("any answer is taken", "a busy server is believed to have it", ("guard",), {"I10", "I4"}, TakesAnyAnswer),
    tablet("stuck on a refusal", "a rejected mutation stays in the queue", ("poison",), {"I4", "I5"}, StuckOnRefusal),
    tablet(
        "new id for a retry",
        "each attempt is a mutation of its own",
        ("no-reply", "twice"),
        {"I4", "I2", "law 2"},
        NewIdOnRetry,
    ),
    tablet(
        "stale documents stay",
        "what a new baseline does not name is kept",
        ("restore", "compact", "reassign"),
        {"law 1", "law 5"},
        KeepsWhatIsNotNamed,
    ),
    tablet(
        "kept by its own clock",
        "a clock that jumps makes a tablet forget what no backup has",
        ("restore", "clock", "offline"),
        {"I1", "I4"},
        KeepsByOwnClock,
        written=clock_set_right,
    ),
    tablet(
        "sent is forgotten",
        "a tablet does not keep what no backup has",
        ("restore", "offline"),
        {"I1", "I4"},
        ForgetsWhatWasSent,
    ),
    tablet(
        "queue thrown away",
        "a new baseline begins with nothing",
        ("restore", "compact", "offline"),
        {"I4"},
        ThrowsQueueAway,
    ),
    tablet(
        "own writes vanish",
        "what was answered is not shown until it is read",
        ("offline", "no-reply"),
        {"law 7"},
        ForgetsOwnWrites,
    ),
    tablet(
        "whole document sent",
        "an edit overwrites what the screen had",
        ("offline", "reassign"),
        {"law 2"},
        WholeDocument,
    ),
    tablet(
        "group cut", "a group is sent in two pushes", ("offline", "hole"), {"I2"}, CutsGroups, edits=("finish", "note")
    ),
    tablet("wrong author", "on a shared tablet all goes under one name", ("shared",), {"I8"}, SharedToken),
    tablet(
        "numbers begin anew", "after a restart numbers are used again", ("die", "battery"), {"I6", "I2"}, RenumbersFrom1
    ),
    Bug(
        name="counter as a value",
        says="stock is written, not moved",
        faults=("offline", "no-reply"),
        laws=frozenset({"law 9"}),
        parts=lambda: Parts(make=counter),
        edits=("part", "part", "note"),
    ),
)
