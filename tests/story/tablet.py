"""A tablet for the story: speaks the protocol over real HTTP, keeps its state in a file, and can be killed."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from schemas.entities.base import iso
from tests.serving import Server


class Tablet:
    """What is on the tablet is in `path`. A new object on the same path is the tablet restarted."""

    def __init__(self, server: Server, path: Path) -> None:
        self.server = server
        self.path = path
        self.state: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def save(self) -> None:
        """Everything is on disk before anything is shown as saved."""
        self.path.write_text(json.dumps(self.state))

    def enrol(self, email: str) -> None:
        body = {
            "code": self.server.enrolment_code(email),
            "device_name": "Story",
            "app_version": "1",
            "schema_version": 1,
        }
        status, answer = self.server.call("POST", "/sync/v1/enrol", body)
        assert status == 201, answer
        self.state = {
            "token": answer["token"],
            "cursor": "",
            "documents": {},
            "outbox": [],
            "n": 0,
            "drops": {},
            "results": {},
        }
        self.save()

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        status, answer = self.server.call(method, f"/sync/v1{path}", body, token=self.state["token"], headers=headers)
        assert 200 <= status < 300, (status, answer)
        return answer

    def pull(self) -> None:
        """Read on to the end of the feed."""
        more = True
        while more:
            page = self.call("GET", f"/pull?limit=100&cursor={self.state['cursor']}")
            for change in page["changes"]:
                if change["op"] == "put":
                    document = change["document"] | {
                        "id": change["id"],
                        "_version": change["version"],
                        "_collection": change["collection"],
                    }
                    self.state["documents"][change["id"]] = document
                else:
                    self.state["documents"].pop(change["id"], None)
                    self.state["drops"][change["id"]] = change["reason"]
            self.state["cursor"] = page["cursor"]
            more = page["more"]
        self.save()

    def document(self, document_id: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.state["documents"].get(document_id)
        return found

    def edit(self, document_id: str, *, at: datetime | None = None, **patch: Any) -> None:
        """One edit into the outbox: `set`, `add` or `remove`."""
        self.state["n"] += 1
        document = self.state["documents"][document_id]
        self.state["outbox"].append(
            {
                "id": str(uuid4()),
                "n": self.state["n"],
                "collection": document["_collection"],
                "document_id": document_id,
                "op": "update",
                "base_version": document["_version"],
                "made_at": iso(at or datetime.now(UTC)),
            }
            | patch
        )
        self.save()

    def push(self) -> list[dict[str, Any]]:
        """Send the outbox; what is answered leaves it."""
        body = {"device_time": iso(datetime.now(UTC)), "mutations": self.state["outbox"]}
        results: list[dict[str, Any]] = self.call("POST", "/push", body)["results"]
        self.state["results"] |= {result["id"]: result for result in results}
        self.state["outbox"] = []
        self.save()
        return results

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
            self.call("PATCH", place.removeprefix("/sync/v1"), piece, headers=headers)
        assert self.call("GET", f"/attachments/{sha256}/receipt")["state"] == "verified"
        return sha256

    def _location(self, headers: dict[str, str]) -> str:
        return self.server.location("POST", "/sync/v1/uploads", token=self.state["token"], headers=headers)


def entry(at: datetime, **values: Any) -> dict[str, Any]:
    """An entry of an append list, made on site."""
    return {"id": str(uuid4()), "at": iso(at)} | values
