"""Record the sessions that are missing: `python -m tests.corpus.record [NAME …]`.

A real server on a database of its own, real clients, and between them a proxy that writes down each request with its
answer, and between those what the office did. Stock clients run under Node as they come from npm.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from schemas import contract
from server.extensions import db
from tests.builders import SmallCompany, small_company
from tests.conftest import migrated
from tests.corpus import FOLDER, tablets
from tests.corpus.office import OfficeSteps
from tests.corpus.replay import parsed
from tests.serving import ROOT, Server
from tests.tablets import OverHttp, Tablet

NODE_SECONDS = 120


class Recorder:
    """A proxy before a server; `steps` is what went through it, one after the other."""

    def __init__(self, url: str, office: OfficeSteps) -> None:
        self.target = url
        self.office = office
        self.company = office.company
        self.steps: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        recorder = self

        class Proxy(BaseHTTPRequestHandler):
            def log_message(self, *words: object) -> None:
                pass

            def do_GET(self) -> None:
                self.pass_on()

            def do_POST(self) -> None:
                self.pass_on()

            def pass_on(self) -> None:
                sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                with recorder.lock:
                    if self.path == "/office":
                        status, text = 200, json.dumps(recorder.take(json.loads(sent)))
                    else:
                        status, text = recorder.ask(self.command, self.path, sent, token)
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        threading.Thread(target=self.proxy.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.proxy.server_address[1]}"

    def take(self, step: dict[str, Any]) -> str | None:
        """A step of the office; what it made."""
        made = self.office.do(step)
        self.steps.append({"do": step} | ({"made": made} if made else {}))
        return made

    def do(self, office: str, **given: Any) -> str:
        """The same, for sessions that are written here."""
        return str(self.take({"office": office} | given))

    def ask(self, method: str, path: str, sent: str, token: str) -> tuple[int, str]:
        """Pass a request on, and write it down with its answer."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = sent.encode() or None
        request = urllib.request.Request(self.target + path, data=data, method=method, headers=headers)
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read().decode()
        if not path.startswith("/sync/v1/schema"):
            asked = {"method": method, "path": path, "token": token, "body": parsed(sent) or None}
            self.steps.append({"do": asked, "status": answer.status, "answer": parsed(text)})
        return answer.status, text

    def tablet(self, technician: str, schema_version: int = contract.SCHEMA_VERSION) -> Tablet:
        """The reference client, enrolled."""
        tablet = Tablet(OverHttp(self.url))
        code = self.do("code", technician=technician)
        tablet.enrol(code, device_name="Recorded", schema_version=schema_version)
        return tablet


def under_node(file: str) -> Callable[[Recorder], None]:
    """A session that a stock client plays."""

    def play(recorder: Recorder) -> None:
        program = shutil.which("node")
        if program is None or not (ROOT / "node_modules").exists():
            raise SystemExit("Stock clients need Node and `npm install`.")
        settings = {"ROUNDS_URL": recorder.url, "ROUNDS_COMPANY": json.dumps(vars(recorder.company))}
        subprocess.run(
            [program, f"tests/corpus/{file}"], cwd=ROOT, env=os.environ | settings, check=True, timeout=NODE_SECONDS
        )

    return play


SESSIONS: dict[str, Callable[[Recorder], None]] = {
    "tablet": tablets.a_day_of_work,
    "tablet-away": tablets.long_without_contact,
    "tablet-newer": tablets.an_app_newer_than_its_server,
    "rxdb": under_node("rxdb.mjs"),
    "watermelon": under_node("watermelon.mjs"),
}
"""Name -> how it is played. Each is kept once for each schema version."""


def file_of(name: str, schema_version: int) -> Path:
    """Where a session is kept."""
    return FOLDER / f"{name}-{schema_version}.json"


def record(name: str) -> Path:
    """Play a session on a fresh server and keep it; its file."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        url = f"sqlite:///{folder / 'rounds.db'}"
        app = migrated(url, folder)
        with app.app_context():
            company: SmallCompany = small_company()
            db.session.remove()
            db.engine.dispose()
        server = Server(url, folder)
        server.start()
        recorder = Recorder(server.url, OfficeSteps(app, company))
        try:
            SESSIONS[name](recorder)
        finally:
            recorder.proxy.shutdown()
            server.kill()
    session = {
        "name": name,
        "schema_version": contract.SCHEMA_VERSION,
        "recorded": datetime.now(UTC).date().isoformat(),
        "company": vars(company),
        "steps": recorder.steps,
    }
    file = file_of(name, contract.SCHEMA_VERSION)
    file.write_text(one_step_a_line(session), "utf-8")
    return file


def one_step_a_line(session: dict[str, Any]) -> str:
    """A session as JSON that can be read and compared by line."""
    head = {name: value for name, value in session.items() if name != "steps"}
    steps = ",\n".join(json.dumps(step, ensure_ascii=False) for step in session["steps"])
    return json.dumps(head, ensure_ascii=False)[:-1] + f', "steps": [\n{steps}\n]}}\n'


def main(names: list[str]) -> None:
    """Record these sessions, all by default, of the schema version of now; one that is there stays."""
    for name in names or SESSIONS:
        if file_of(name, contract.SCHEMA_VERSION).exists():
            print(f"{name}: is there")
        else:
            print(f"{name}: {record(name).name}")


if __name__ == "__main__":
    main(sys.argv[1:])
