"""A tablet for the story: the reference replica over real HTTP, kept in a file after each step: it can be killed."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from schemas.entities import COLLECTIONS
from schemas.entities.base import iso
from sync.client import Replica, State
from tests.serving import Server
from tests.tablets import OverHttp


class Tablet:
    """What is on the tablet is in `path`. A new object on the same path is the tablet restarted."""

    def __init__(self, server: Server, path: Path) -> None:
        self.server = server
        self.path = path
        transport = OverHttp(server.url)
        self.replica = Replica(transport, State(**json.loads(path.read_text())) if path.exists() else None)
        transport.replica = self.replica

    @property
    def state(self) -> State:
        return self.replica.state

    def save(self) -> None:
        """Everything is on disk before anything is shown as saved."""
        self.path.write_text(json.dumps(self.replica.save()))

    def enrol(self, email: str) -> None:
        self.replica.enrol(self.server.enrolment_code(email), device_name="Story")
        self.save()

    def pull(self) -> None:
        """Read on to the end of the feed."""
        while self.replica.pull(100):
            self.save()
        self.save()

    def document(self, document_id: str) -> dict[str, Any] | None:
        """A document as the replica has it, with its empty fields."""
        kept = self.state.documents.get(document_id)
        return COLLECTIONS[kept["collection"]].whole(kept["document"]) if kept else None

    def edit(self, document_id: str, *, at: datetime | None = None, **patch: Any) -> None:
        """One edit into the outbox: `set`, `add` or `remove`."""
        collection = self.state.documents[document_id]["collection"]
        made_at = iso(at or self.server.now())
        self.replica.edit(collection, document_id, mutation_id=str(uuid4()), made_at=made_at, **patch)
        self.save()

    def push(self) -> list[dict[str, Any]]:
        """Send the outbox; what is answered leaves it."""
        results: list[dict[str, Any]] = self.replica.push(device_time=iso(self.server.now()))
        self.save()
        return results

    def _call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        status, answer = self.server.call(method, f"/sync/v1{path}", body, token=self.state.token, headers=headers)
        assert 200 <= status < 300, (status, answer)
        return answer

    def upload(self, data: bytes, *, cut_at: int) -> str:
        """Send a file in two pieces by tus; its hash."""
        sha256 = hashlib.sha256(data).hexdigest()
        metadata = (
            f"sha256 {base64.b64encode(sha256.encode()).decode()},media_type {base64.b64encode(b'image/jpeg').decode()}"
        )
        tus = {"Tus-Resumable": "1.0.0"}
        place = self._location(tus | {"Upload-Length": str(len(data)), "Upload-Metadata": metadata})
        for offset, piece in ((0, data[:cut_at]), (cut_at, data[cut_at:])):
            headers = tus | {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            self._call("PATCH", place.removeprefix("/sync/v1"), piece, headers=headers)
        assert self._call("GET", f"/attachments/{sha256}/receipt")["state"] == "verified"
        return sha256

    def _location(self, headers: dict[str, str]) -> str:
        return self.server.location("POST", "/sync/v1/uploads", token=self.state.token, headers=headers)


def entry(at: datetime, **values: Any) -> dict[str, Any]:
    """An entry of an append list, made on site."""
    return {"id": str(uuid4()), "at": iso(at)} | values
