"""pouchdb-server (one Node process, LevelDB): revisions; who has not seen the newest one is refused and must merge."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.load import BATCH, Doc, Peer, Refused, Wire, batches, free_port, served
from bench.peers.rooms import node_room


class PouchDB(Peer):
    """One database of documents with their revisions."""

    name = "pouchdb-server"
    key = "pouchdb"

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.program = node_room(folder, "pouchdb-server") / "pouchdb-server"
        self.revisions: dict[str, str] = {}

    @contextlib.contextmanager
    def run(self) -> Iterator[None]:
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        command = [str(self.program), "--port", str(self.port), "--dir", str(data), "--no-stdout-logs"]
        with served(self, command, self.folder):
            yield

    def wire(self, lane: int = 0) -> Wire:
        return Wire(self.port, lane=lane)

    def prepare(self) -> None:
        with self.wire() as wire, contextlib.suppress(RuntimeError):
            wire("PUT", "/visits", {})

    def fill(self, docs: Sequence[Doc]) -> None:
        with self.run(), self.wire() as wire:
            for part in batches(docs, BATCH):
                self.push(wire, part)

    def push(self, wire: Wire, docs: Sequence[Doc]) -> None:
        self.send(wire, self.edits(wire, docs))

    def edits(self, wire: Wire, docs: Sequence[Doc], **values: str) -> Any:
        made = []
        for doc in docs:
            body = {"_id": doc["id"]} | {name: value for name, value in doc.items() if name != "id"} | values
            made.append(body | ({"_rev": self.revisions[doc["id"]]} if doc["id"] in self.revisions else {}))
        return made

    def send(self, wire: Wire, request: Any) -> None:
        answers = wire("POST", "/visits/_bulk_docs", {"docs": request})
        self.revisions |= {each["id"]: each["rev"] for each in answers if each.get("ok")}
        if any(each.get("status") == 409 or each.get("error") == "conflict" for each in answers):
            raise Refused("409")

    def pull(self, wire: Wire, cursor: Any, limit: int) -> tuple[list[Any], Any, bool]:
        page = wire("GET", f"/visits/_changes?since={cursor or 0}&limit={limit}&include_docs=true")
        return [each["doc"] for each in page["results"]], page["last_seq"], len(page["results"]) == limit

    def key_of(self, doc: Doc) -> str:
        return str(doc["id"])

    def id_of(self, document: Any) -> str:
        return str(document["_id"])

    def status_of(self, document: Any) -> str:
        return str(document["status"])

    def notes_of(self, document: Any) -> str:
        return str(document["notes"])

    def saw(self, document: Any) -> None:
        self.revisions[document["_id"]] = document["_rev"]
