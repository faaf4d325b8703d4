"""A whole replica in one file: what any tablet must do, written against the protocol and nothing else.

Pure: requests go through a `Transport`, ids and times come in as arguments, and the state is one JSON value, so that a
replica can be saved after every step, killed at any moment and loaded again. Rule numbers (S-1 …) are those of
`docs/sync-protocol.md`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from sync.change import Body, Json, laid_over
from sync.lanes import next_batch
from sync.whole import MOST_DOCUMENTS, Checked, compare

MOST_MUTATIONS = 500
"""A push holds at most so many (S-20)."""

BATCH_BYTES = 500_000
"""Of JSON in a push; well below what the server takes uncompressed (S-20)."""

KEPT = timedelta(days=14)
"""What was answered is kept at most so long when no backup covers it (S-72)."""

FORMER_TOKENS = 15
"""So many tokens that were given back are kept: a restored server may know one of them (S-76)."""


class Transport(Protocol):
    """One request to the server: status and the answer's JSON. Raises `Offline` when no whole answer came."""

    def __call__(self, method: str, path: str, body: Json | None = None) -> tuple[int, Json]: ...


class Offline(Exception):
    """No answer, or half of one: whether the request had its effect is not known."""


class Refused(Exception):
    """The server answered with a problem document; the state of the replica is as it was."""

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__(f"{status} {problem.get('code') if isinstance(problem, dict) else problem}")
        self.status = status
        self.problem: dict[str, Json] = problem if isinstance(problem, dict) else {}

    @property
    def code(self) -> str:
        """The stable name of the problem (S-61)."""
        return str(self.problem.get("code", ""))


class WrongPerson(Exception):
    """The code was another person's: each has a replica of their own (S-84)."""


@dataclass
class State:
    """All that a replica must not forget; every value is JSON."""

    token: str = ""
    former_tokens: list[str] = field(default_factory=list)
    """Tokens that a newer one followed, oldest first (S-76)."""
    device_id: str = ""
    technician_id: str = ""
    schema_version: int = 1
    """The version of the documents' form that this client knows; told with each push (S-70, S-151)."""
    epoch: str = ""
    """The server's history as it was last told (S-71)."""
    cursor: str | None = None
    complete: bool = False
    today_complete: bool = False
    """What is to be done today is here, with all that it needs (S-224)."""
    n: int = 0
    documents: dict[str, dict[str, Json]] = field(default_factory=dict)
    """id -> {collection, version, document} as the server last sent it: lean, and with its id (S-12, S-17)."""
    outbox: list[dict[str, Json]] = field(default_factory=list)
    """Mutations without a result yet, in the order of their numbers."""
    kept: list[dict[str, Json]] = field(default_factory=list)
    """{mutation, epoch, seq, at}: answered, and not known to be in a backup yet (S-72)."""
    salvaged: list[str] = field(default_factory=list)
    """Ids in the outbox that the server keeps for the office, for this device's access has ended (S-80)."""
    notices: list[Json] = field(default_factory=list)
    """What the person should know of this device (S-83)."""
    renew: bool = False
    """The server asks for the token to be renewed (S-75)."""
    answered: list[dict[str, Json]] = field(default_factory=list)
    """Mutations that had effect, with the `version` that holds it, until the replica has read that."""
    results: dict[str, dict[str, Json]] = field(default_factory=dict)
    """Mutation id -> what became of it, for ever (S-27)."""
    read_through: int = 0
    """Where the feed stood when all of it had been read last (S-211)."""
    heard: dict[str, Json] | None = None
    """{office, here}: the office's last word on the time, and what the clock here showed then (S-206)."""
    files_made: int = 0
    """How many exchange files were written here."""
    file_taken: dict[str, Json] = field(default_factory=dict)
    """{epoch, n} of the office's last exchange file (S-210)."""
    dropped: dict[str, str] = field(default_factory=dict)
    """id -> why it left."""
    stale: list[str] = field(default_factory=list)
    """Documents of before a new baseline that it has not named yet (S-15)."""


class Replica:
    """One device's copy of its documents, its unsent edits, and the protocol between them and the server."""

    def __init__(self, transport: Transport, state: State | None = None) -> None:
        self.transport = transport
        self.state = state or State()

    # --- keeping ------------------------------------------------------------------------------------------------

    def save(self) -> dict[str, Json]:
        """The state as JSON; what is saved before a request is sent is what a killed device wakes up with (S-19)."""
        return copy.deepcopy(vars(self.state))

    @classmethod
    def load(cls, transport: Transport, saved: Mapping[str, Json]) -> Replica:
        """A replica as it was saved."""
        return cls(transport, State(**copy.deepcopy(dict(saved))))

    # --- enrolment ----------------------------------------------------------------------------------------------

    def enrol(self, code: str, *, device_name: str, app_version: str = "reference", schema_version: int = 1) -> None:
        """Become a technician's device with a code from the office (S-1); raises Refused `wrong-code`."""
        answer = self._ask(
            "POST",
            "/sync/v1/enrol",
            {"code": code, "device_name": device_name, "app_version": app_version, "schema_version": schema_version},
        )
        if self.state.technician_id not in ("", answer["technician"]["id"]):
            raise WrongPerson(answer["technician"]["name"])
        if self.state.device_id:
            self._number_anew()
        self.state.token, self.state.former_tokens = answer["token"], []
        self.state.device_id = answer["device_id"]
        self.state.technician_id = answer["technician"]["id"]
        self.state.schema_version = schema_version
        self.state.cursor, self.state.read_through = None, 0
        self.state.files_made, self.state.file_taken = 0, {}

    def _number_anew(self) -> None:
        """Under a new registration all goes again that may not be there, from number 1, under its old ids (S-82)."""
        again = [entry["mutation"] for entry in self.state.kept] + self.state.outbox
        self.state.outbox = [mutation | {"n": n} for n, mutation in enumerate(again, start=1)]
        self.state.n = len(again)
        self.state.kept, self.state.salvaged = [], []

    def renew_token(self) -> None:
        """Ask for a new token; it must be saved before it is used (S-75), so this is the last request of a round."""
        answer = self._ask("POST", "/sync/v1/token")
        self.state.former_tokens = [*self.state.former_tokens, self.state.token][-FORMER_TOKENS:]
        self.state.token = answer["token"]
        self.state.renew = False

    # --- editing ------------------------------------------------------------------------------------------------

    def edit(
        self,
        collection: str,
        document_id: str,
        *,
        mutation_id: str,
        made_at: str,
        op: str = "update",
        set: Mapping[str, Json] | None = None,
        add: Mapping[str, Sequence[Json]] | None = None,
        remove: Mapping[str, Sequence[Json]] | None = None,
        group: str | None = None,
        resolves: str | None = None,
    ) -> dict[str, Json]:
        """Write an edit down as a mutation: the next number, and the version that was seen (S-18, S-21).

        `resolves` is the conflict that the person settles by it (S-43).
        """
        held = self.state.documents.get(document_id)
        self.state.n += 1
        mutation: dict[str, Json] = {
            "id": mutation_id,
            "n": self.state.n,
            "collection": collection,
            "document_id": document_id,
            "op": op,
            "base_version": held["version"] if held else None,
            "set": dict(set or {}),
            "add": {name: list(values) for name, values in (add or {}).items()},
            "remove": {name: list(values) for name, values in (remove or {}).items()},
            "made_at": made_at,
            "group": group,
        }
        if resolves:
            mutation["resolves"] = resolves
        self.state.outbox.append(mutation)
        return mutation

    # --- reading ------------------------------------------------------------------------------------------------

    def view(self, document_id: str) -> Body | None:
        """What the person sees: the document with their own edits laid over it, until it holds them (law 7, S-22)."""
        held = self.state.documents.get(document_id)
        own = [*self.state.answered, *self.state.outbox]
        mine = [mutation for mutation in own if mutation["document_id"] == document_id]
        if held is None and not any(mutation["op"] == "create" for mutation in mine):
            return None
        body: Body = copy.deepcopy(held["document"]) if held else {"id": document_id}
        for mutation in mine:
            body = laid_over(body, mutation)
        return body

    def unsent(self, document_id: str | None = None) -> list[dict[str, Json]]:
        """Mutations that have no result yet, of one document or of all."""
        return [m for m in self.state.outbox if document_id is None or m["document_id"] == document_id]

    # --- exchanging ---------------------------------------------------------------------------------------------

    def exchange(self, *, device_time: str, rtt_ms: float | None = None, limit: int | None = None) -> None:
        """Push all, then pull to the end (S-16: first what was done here, then what others did).

        It pushes at least once: a push without mutations is a contact (S-70). A new history sends all again first.
        """
        more = True
        while more:
            self.push(device_time=device_time, rtt_ms=rtt_ms)
            while self.state.outbox:
                self.push(device_time=device_time, rtt_ms=rtt_ms)
            while more and not self.state.outbox:
                more = self.pull(limit)
        if self.state.renew:
            self.renew_token()

    def push(self, *, device_time: str, rtt_ms: float | None = None, most: int = MOST_MUTATIONS) -> list[Json]:
        """Send the first of the outbox by its lanes (S-98); what has a result leaves it. A group is never cut (S-24).

        When no answer comes the outbox stays as it is: the same mutations go again (S-23).
        """
        batch = self._batch(most)
        body = {"device_time": device_time, "rtt_ms": rtt_ms, "mutations": batch, "told": self.told(batch)}
        body["schema_version"] = self.state.schema_version
        try:
            answer = self._ask("POST", "/sync/v1/push", body)
        except Refused as refused:
            if refused.problem.get("salvaged"):
                self.state.salvaged += [mutation["id"] for mutation in batch]
            raise
        self.see_history(answer)
        self.heard(answer["server_time"], device_time)
        # A result has the id that was sent, or none when that cannot be read: they come in the order of the push.
        results: list[Json] = answer["results"]
        told = [result | {"id": sent["id"]} for sent, result in zip(batch, results, strict=True)]
        self.take_results(told, answer)
        self.state.notices, self.state.renew = answer["notices"], answer["renew_token"]
        self.let_go(answer, answer["server_time"])
        return results

    def take_results(self, results: Iterable[Mapping[str, Json]], answer: Mapping[str, Json]) -> int:
        """What became of edits that wait here, by their ids, as told at `answer` (S-26); how many it was news for."""
        waiting = {mutation["id"]: mutation for mutation in self.state.outbox}
        news = {result["id"]: dict(result) for result in results if result["id"] in waiting}
        for mutation_id, result in news.items():
            self.state.results[mutation_id] = result
            self._keep(waiting[mutation_id], answer)
        self.state.outbox = [m for m in self.state.outbox if m["id"] not in news]
        had_effect = [waiting[mutation_id] | {"version": result["version"]} for mutation_id, result in news.items()]
        self.state.answered += [m for m in had_effect if m["version"] is not None and self._is_ahead(m)]
        return len(news)

    def heard(self, server_time: str, device_time: str) -> None:
        """Remember the office's last word on the time, and what the clock here shows (S-206)."""
        self.state.heard = {"office": server_time, "here": device_time}

    def hand_over(self, *, device_time: str) -> None:
        """After the end of its access: send all that is unsent, for the office to look at (S-80)."""
        while len(self.state.salvaged) < len(self.state.outbox):
            before = len(self.state.salvaged)
            try:
                self.push(device_time=device_time)
            except Refused:
                if len(self.state.salvaged) == before:
                    raise

    def told(self, batch: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
        """What this device says of itself: the next number, and what is left here besides this push (S-70)."""
        sending = {mutation["id"] for mutation in batch}
        left = [mutation for mutation in self.state.outbox if mutation["id"] not in sending]
        return {
            "epoch": self.state.epoch or None,
            "next_n": self.state.n + 1,
            "first_unsent": min((mutation["n"] for mutation in left), default=None),
            "unsent": len(left),
            "unsent_since": min((mutation["made_at"] for mutation in left), default=None),
        }

    # --- what was answered, until a backup covers it ------------------------------------------------------------

    def _keep(self, mutation: dict[str, Json], answer: Mapping[str, Json]) -> None:
        self.state.kept = [entry for entry in self.state.kept if entry["mutation"]["id"] != mutation["id"]]
        told = {"epoch": answer["epoch"], "seq": answer["seq"], "at": answer["server_time"]}
        self.state.kept.append({"mutation": mutation, **told})

    def let_go(self, answer: Mapping[str, Json], now: str | None = None) -> None:
        """Forget what a backup of the same history covers, and what is too old by the server's clock (S-72)."""
        self.state.kept = [
            entry
            for entry in self.state.kept
            if not (entry["epoch"] == answer["epoch"] and entry["seq"] <= answer["backed_up_through"])
            and not (now is not None and datetime.fromisoformat(now) - datetime.fromisoformat(entry["at"]) > KEPT)
        ]

    def see_history(self, answer: Mapping[str, Json]) -> None:
        """Another history than before: whatever the server had is not certain any more (S-73)."""
        if self.state.epoch and answer["epoch"] != self.state.epoch:
            self._start_over()
        self.state.epoch = answer["epoch"]

    def _start_over(self) -> None:
        """Offer all again that no backup is known to cover, in its old order, and pull a new baseline (S-15, S-73)."""
        again = [entry["mutation"] for entry in self.state.kept]
        self.state.outbox = sorted([*again, *self.state.outbox], key=lambda mutation: int(mutation["n"]))
        self.state.kept = []
        self.baseline()

    def baseline(self) -> None:
        """Pull all anew; what the new baseline does not name goes at its end, and the outbox stays (S-15, S-157)."""
        self.state.cursor, self.state.read_through = None, 0
        self.state.answered = [m | {"version": None} for m in self.state.answered]
        self.state.stale = list(self.state.documents)

    def _wipe(self) -> None:
        """The order that comes with the end of access: documents go, what was written here stays (S-79)."""
        self.state.documents, self.state.dropped = {}, {}
        self.state.cursor, self.state.stale, self.state.complete = None, [], False
        self.state.read_through = 0
        self.state.today_complete = False

    def pull(self, limit: int | None = None) -> bool:
        """Take in one page; whether there is more. A cursor of another history starts a new baseline (S-15)."""
        try:
            page = self._ask("GET", self._pull_path(limit))
        except Refused as refused:
            if refused.code == "cursor-too-old":
                self.baseline()
                return True
            if refused.code != "epoch-changed":
                raise
            self._start_over()
            self.state.epoch = ""
            return True
        if self.state.epoch not in ("", page["epoch"]):
            self.see_history(page)
            return True
        self.state.epoch = page["epoch"]
        self.let_go(page)
        self.take_page(page)
        return bool(page["more"])

    def take_page(self, page: Mapping[str, Json]) -> None:
        """Put and drop what a page says, and stand where it ends (S-10 to S-14)."""
        for change in page["changes"]:
            self._take(change)
        self.state.cursor = page["cursor"]
        self.state.complete = self.state.complete or page["first_sync_complete"]
        self.state.today_complete = self.state.today_complete or page.get("today_complete", self.state.complete)
        if not page["more"]:
            self._forget(self.state.stale, "not-needed")
            self.state.stale = []
            self.state.read_through = page["seq"]
        self.state.answered = [m for m in self.state.answered if self._is_ahead(m, gone=not page["more"])]

    def verify(self, *, tries: int = 3, limit: int | None = None) -> Checked:
        """Prove that the replica is whole and repair what is not (S-147 to S-150); unsent edits are not touched.

        What the office wrote meanwhile is pulled; `behind` when it wrote faster than that could be done.
        """
        found = Checked()
        for _ in range(tries):
            if found.behind:
                while self.pull(limit):
                    pass
            if self.state.cursor is None:
                # Another history has begun: first all is sent again (S-73).
                return found
            wrong = compare(self.state.documents, self.state.cursor, lambda path: self._ask("GET", path))
            found.behind = wrong.behind
            found.whole = not wrong.behind and not wrong.ids
            if found.whole:
                break
            for start in range(0, len(wrong.ids), MOST_DOCUMENTS):
                self._repair(wrong.ids[start : start + MOST_DOCUMENTS], found)
        return found

    def _repair(self, ids: Sequence[str], found: Checked) -> None:
        """Take these documents as the server has them, whatever version is here (S-149)."""
        for change in self._ask("GET", f"/sync/v1/documents?ids={','.join(ids)}")["changes"]:
            if change["op"] == "put":
                self._put(change)
                found.repaired.append(change["id"])
            else:
                self._forget([change["id"]], change["reason"])
                found.strangers.append(change["id"])

    def _pull_path(self, limit: int | None) -> str:
        told = {"cursor": self.state.cursor, "limit": limit}
        query = "&".join(f"{name}={value}" for name, value in told.items() if value is not None)
        return f"/sync/v1/pull?{query}" if query else "/sync/v1/pull"

    def _take(self, change: Mapping[str, Json]) -> None:
        """Put or drop one document; an older version never replaces a newer one of the same history (S-12)."""
        document_id = change["id"]
        fresh = document_id in self.state.stale
        if fresh:
            self.state.stale.remove(document_id)
        held = self.state.documents.get(document_id)
        if held is not None and not fresh and held["version"] > change["version"]:
            return
        if change["op"] == "drop":
            self._forget([document_id], change["reason"])
            return
        self._put(change)

    def _put(self, change: Mapping[str, Json]) -> None:
        """Take a document, lean as it came (S-17) and with its id (S-12)."""
        self.state.documents[change["id"]] = {
            "collection": change["collection"],
            "version": change["version"],
            "document": {"id": change["id"]} | change["document"],
        }
        self.state.dropped.pop(change["id"], None)

    def _forget(self, document_ids: Iterable[str], reason: str) -> None:
        """The documents go; unsent edits of them stay in the outbox for judgement (S-14)."""
        for document_id in document_ids:
            if self.state.documents.pop(document_id, None) is not None:
                self.state.dropped[document_id] = reason

    def _is_ahead(self, mutation: Mapping[str, Json], *, gone: bool = False) -> bool:
        """Whether the replica has not read yet what a mutation did; what is `gone` will not be read.

        In a new baseline, where no version is known, that is until the baseline names the document.
        """
        version, held = mutation["version"], self.state.documents.get(mutation["document_id"])
        if held is None:
            return not gone
        return mutation["document_id"] in self.state.stale if version is None else bool(held["version"] < version)

    def _batch(self, most: int) -> list[dict[str, Json]]:
        waiting = [mutation for mutation in self.state.outbox if mutation["id"] not in self.state.salvaged]
        return next_batch(waiting, most, BATCH_BYTES)

    def _ask(self, method: str, path: str, body: Json | None = None) -> Any:
        status, answer = self.transport(method, path, body)
        if _code(status, answer) == "unauthenticated":
            status, answer = self._ask_as_before(method, path, body, (status, answer))
        if not 200 <= status < 300:
            if isinstance(answer, dict) and answer.get("wipe"):
                self._wipe()
            raise Refused(status, answer)
        return answer

    def _ask_as_before(self, method: str, path: str, body: Json | None, refusal: tuple[int, Json]) -> tuple[int, Json]:
        """A server that was restored may know a token that was given back since: try them, newest first (S-76)."""
        token = self.state.token
        for former in reversed(self.state.former_tokens):
            self.state.token = former
            status, answer = self.transport(method, path, body)
            if _code(status, answer) != "unauthenticated":
                self.state.former_tokens.remove(former)
                return status, answer
        self.state.token = token
        return refusal


def _code(status: int, answer: Json) -> str | None:
    return str(answer.get("code")) if status == 401 and isinstance(answer, dict) else None
