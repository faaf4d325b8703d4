"""Every command: what is written wrongly is said in words and ends with 2, never with a traceback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import Result
from flask import Flask

from server.app import create_app
from server.cli import GROUPS
from tests.builders import SmallCompany

INIT = {
    "--name": "Ordino Service", "--email": "ana@ordino.example", "--password": "correct horse battery",
    "--branch": "Ordino", "--tz": "Europe/Andorra", "--currency": "EUR", "--lat": "42.55", "--lon": "1.53",
}  # fmt: skip


def called(app: Flask, *words: str) -> Result:
    """A command as somebody types it."""
    done = app.test_cli_runner().invoke(args=list(words))
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    assert "Traceback" not in done.output
    return done


def founding(**instead: str) -> list[str]:
    options = INIT | {f"--{name}": value for name, value in instead.items()}
    return ["init", *(word for pair in options.items() for word in pair)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["jobs", "run", "generate_visits", "--slot", "bogus"], "'bogus' is no slot. Write it like 20"),
        (["jobs", "run", "generate_visits", "--slot", "2026-05-04T12:06Z"], "it runs hourly at :05, last at 20"),
        (["jobs", "run", "generate_visits", "--slot", ""], "is no slot"),
        (["jobs", "run", "nothing"], "There is no job 'nothing'"),
        (["jobs", "runs", "--count", "0"], "--count"),
        (["plans", "explain", "nothing"], "There is no maintenance plan nothing"),
        (["plans", "explain", "nothing", "--from", "2026-01-02", "--to", "2026-01-01"], "is before --from"),
        (["plans", "explain", "x", "--from", "soon"], "--from"),
        (["plan", "--date", "soon"], "--date"),
        (["plan", "--date", "2026-01-01", "--branch", "Nowhere"], "There is no branch 'Nowhere'"),
        (["plan", "--date", "2026-01-01", "--company", "Nobody"], "Name one company of"),
        (["plan", "--date", "2026-01-01", "--seconds", "-1"], "--seconds"),
        (["import", "sites", "not-there.csv"], "not-there.csv"),
        (["import", "tea", "x"], "No such command 'tea'"),
        (["restore", "not-there"], "not-there"),
        (["backup", "--most", "0"], "--most"),
        (["demo", "load", "--now", "yesterday"], "--now"),
        (["scheduler", "--lease", "0"], "--lease"),
        (["nonsense"], "No such command 'nonsense'"),
    ],
)
def test_wrong_words_are_told_and_end_with_two(app: Flask, company: SmallCompany, words: list[str], said: str) -> None:
    done = called(app, *words)
    assert (done.exit_code, said in done.output) == (2, True), done.output


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("name", "", "--name: Too short."),
        ("name", " ", "--name: Needs more than spaces."),
        ("email", "nope", "--email: Not an e-mail address."),
        ("password", "short", "--password: Too short."),
        ("branch", "  ", "--branch: Needs more than spaces."),
        ("tz", "Mars/Base", "--tz: Not one of the allowed values."),
        ("currency", "ZZZ", "--currency: Not a currency"),
        ("lat", "91", "--lat: Outside of the allowed range."),
        ("lon", "east", "'east' is not a valid float"),
    ],
)
def test_no_company_is_founded_on_nonsense(app: Flask, option: str, value: str, said: str) -> None:
    done = called(app, *founding(**{option: value}))
    assert (done.exit_code, said in done.output) == (2, True), done.output
    assert "none yet" in called(app, "import", "sites", __file__).output


def test_all_that_is_wrong_with_a_new_company_is_told_at_once(app: Flask) -> None:
    done = called(app, *founding(name=" ", email="nope", tz="Mars/Base"), "--locale", "ru")
    assert all(f"{option}: " in done.output for option in ("--name", "--email", "--tz"))
    assert "Одних пробелов мало." in done.output


def test_an_address_that_is_taken_is_told(app: Flask) -> None:
    assert called(app, *founding()).exit_code == 0
    again = called(app, *founding(name="Another"))
    assert (again.exit_code, "--email: Taken already." in again.output) == (2, True)


@pytest.mark.parametrize(
    "words", [founding(), ["jobs", "runs"], ["jobs", "run", "generate_visits"], ["plans", "list"], ["demo", "load"]]
)
def test_a_database_without_tables_is_told_what_to_do(tmp_path: Path, words: list[str]) -> None:
    app = create_app({"DATABASE_URL": f"sqlite:///{tmp_path}/empty.db", "DATA_FOLDER": tmp_path, "TESTING": True})
    done = called(app, *words)
    assert done.exit_code == 1
    assert "Run `flask db upgrade` first." in done.output


def test_a_slot_that_has_not_begun_is_left_to_the_scheduler(app: Flask) -> None:
    ahead = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:05Z")
    done = called(app, "jobs", "run", "generate_visits", "--slot", ahead)
    assert (done.exit_code, "has no slot" in done.output) == (2, True)


def test_every_command_is_guarded() -> None:
    def leaves(command: click.Command) -> list[click.Command]:
        inner = command.commands.values() if isinstance(command, click.Group) else ()
        return [leaf for each in inner for leaf in leaves(each)] or [command]

    found = [leaf for group in GROUPS for command in group.COMMANDS for leaf in leaves(command)]
    assert len(found) > 15
    assert all(hasattr(leaf.callback, "__wrapped__") for leaf in found)
