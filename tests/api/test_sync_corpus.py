"""Clients of each protocol and schema version, as they were recorded, get along with the server of today."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from schemas import contract, shape
from schemas.entities import COLLECTIONS
from schemas.entities.base import since
from schemas.entities.visit import VisitSchema
from server.extensions import db
from server.store.models import Visit
from tests.builders import SmallCompany, change
from tests.corpus import FOLDER
from tests.corpus.office import OfficeSteps
from tests.corpus.record import SESSIONS, file_of
from tests.corpus.replay import Differs, Replay

FILES = sorted(FOLDER.glob("*.json"))


def session(name: str) -> Any:
    return json.loads((FOLDER / name).read_text("utf-8"))


def replay(app: Flask, company: SmallCompany, recorded: Any, office: type[OfficeSteps] = OfficeSteps) -> Replay:
    played = Replay(app.test_client(), office(app, company), recorded)
    played.run()
    return played


@pytest.mark.parametrize("file", [file.name for file in FILES])
def test_a_recorded_client_gets_along_with_the_server(app: Flask, company: SmallCompany, file: str) -> None:
    """S-155: the same requests have the same effects, and answers hold all that they held then."""
    replay(app, company, session(file))


@pytest.mark.parametrize("name", SESSIONS)
def test_each_schema_version_has_its_sessions(name: str) -> None:
    """S-155: `python -m tests.corpus.record` makes them before a version is given away."""
    missing = [file_of(name, version).name for version in range(1, contract.SCHEMA_VERSION + 1)]
    assert [one for one in missing if not (FOLDER / one).exists()] == []


class LaterOffice(OfficeSteps):
    """The office of a later server: it gives each visit a value that clients of before do not know."""

    def do(self, step: dict[str, Any]) -> str | None:
        made = super().do(step)
        if step["office"] == "visit":
            with self.app.app_context():
                change(Visit, self.company.id, str(made), symptom="Only newer apps know this")
                db.session.remove()
        return made


@pytest.fixture
def later_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The next schema version, with which a visit's `symptom` came."""
    visit = VisitSchema()
    since(visit.fields["symptom"], contract.SCHEMA_VERSION + 1)
    monkeypatch.setitem(COLLECTIONS, "visit", visit)
    monkeypatch.setattr(contract, "SCHEMA_VERSION", contract.SCHEMA_VERSION + 1)
    shape._later.cache_clear()
    yield
    shape._later.cache_clear()


@pytest.mark.usefixtures("later_server")
@pytest.mark.parametrize("file", [file.name for file in FILES if file.name.startswith(("tablet-1", "tablet-away"))])
def test_it_gets_along_with_the_next_one_too_and_takes_nothing_away(
    app: Flask, company: SmallCompany, file: str
) -> None:
    """S-155, S-151, S-62: a field that it does not know is never sent to it, and is there after all its edits."""
    played = replay(app, company, session(file), LaterOffice)
    with app.app_context():
        made = [step["made"] for step in played.steps if step["do"].get("office") == "visit"]
        found = [db.session.get(Visit, (company.id, played.bound[one])).symptom for one in made]  # type: ignore[union-attr]
        db.session.remove()
    assert found
    assert set(found) == {"Only newer apps know this"}
    assert "Only newer apps know this" not in json.dumps(played.heard)


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (lambda push: push["results"][0].update(status="rejected"), "results.0.status"),
        (lambda push: push["results"].append({"id": "x", "status": "applied"}), "results"),
        (lambda push: push.update(more="then"), "more is missing"),
    ],
)
def test_the_replay_sees_what_a_client_would_miss(app: Flask, company: SmallCompany, spoil: Any, where: str) -> None:
    """S-155: an answer that says less or otherwise than it did is found."""
    recorded = copy.deepcopy(session("tablet-1.json"))
    push = next(step for step in recorded["steps"] if step["do"].get("path") == "/sync/v1/push")
    spoil(push["answer"])
    with pytest.raises(Differs, match=where):
        replay(app, company, recorded)
