"""Tablets for tests: the reference replica on a real application, over the test client or over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from schemas.entities import COLLECTIONS
from schemas.entities.base import iso
from server.actions.enrol_device import make_code
from sync.client import Offline, Replica, State


class OverClient:
    """The replica's transport over Flask's test client; `lose` cuts the reply of that many following requests.

    `address` is where the requests come from.
    """

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.replica: Replica | None = None
        self.lose = 0
        self.address = "127.0.0.1"

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        token = self.replica.state.token if self.replica else ""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.client.open(
            path, method=method, json=body, headers=headers, environ_base={"REMOTE_ADDR": self.address}
        )
        if self.lose:
            self.lose -= 1
            raise Offline
        return answer.status_code, json.loads(answer.get_data() or "{}")


class OverHttp:
    """The replica's transport to a server in another process."""

    def __init__(self, url: str, timeout_s: float = 20.0) -> None:
        self.url = url
        self.timeout_s = timeout_s
        self.replica: Replica | None = None

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"}
        if self.replica and self.replica.state.token:
            headers["Authorization"] = f"Bearer {self.replica.state.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)
        try:
            try:
                answer = urllib.request.urlopen(request, timeout=self.timeout_s)
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else {}
        except (OSError, ValueError, EOFError, HTTPException) as error:
            raise Offline from error


class Tablet(Replica):
    """A replica with what tests say often."""

    def __init__(self, transport: Any, state: State | None = None) -> None:
        super().__init__(transport, state)
        transport.replica = self

    def change(self, document_id: str, collection: str = "visit", at: datetime | None = None, **parts: Any) -> Any:
        """An edit made now (or at `at`) under a new id."""
        return self.edit(
            collection, document_id, mutation_id=str(uuid.uuid4()), made_at=iso(at or datetime.now(UTC)), **parts
        )

    def event(self, visit_id: str, kind: str, at: datetime | None = None, **more: Any) -> Any:
        """A step of the work."""
        moment = at or datetime.now(UTC)
        event = {"id": str(uuid.uuid4()), "type": kind, "at": iso(moment)} | more
        return self.change(visit_id, at=moment, add={"events": [event]})

    def work(self, visit_id: str, *kinds: str, start: datetime | None = None) -> list[Any]:
        """Several steps, a minute apart, the last of them now."""
        first = start or datetime.now(UTC) - timedelta(minutes=len(kinds) - 1)
        return [self.event(visit_id, kind, first + timedelta(minutes=n)) for n, kind in enumerate(kinds)]

    def sync(self, limit: int | None = None) -> list[Any]:
        """Push all and pull all; the results of what was pushed, in its order."""
        sent = [mutation["id"] for mutation in self.state.outbox]
        self.exchange(device_time=iso(datetime.now(UTC)), limit=limit)
        return [self.state.results[mutation_id] for mutation_id in sent]

    def send(self, most: int = 500) -> list[Any]:
        """Push once."""
        return self.push(device_time=iso(datetime.now(UTC)), most=most)

    def read(self, limit: int | None = None) -> None:
        """Pull to the end."""
        while self.pull(limit):
            pass

    @property
    def ids(self) -> set[str]:
        return set(self.state.documents)

    def body(self, document_id: str) -> Any:
        """A document as the server last sent it, with its empty fields (S-17)."""
        kept = self.state.documents[document_id]
        return COLLECTIONS[kept["collection"]].whole(kept["document"])


def enrol(app: Flask, company_id: str, technician_id: str, name: str = "Tablet") -> Tablet:
    """A tablet of a technician over the test client."""
    with app.app_context():
        code = make_code(company_id, technician_id, user_id=None, now=datetime.now(UTC)).code
    tablet = Tablet(OverClient(app.test_client()))
    tablet.enrol(code, device_name=name)
    return tablet
