"""What the dispatcher can see and do: over the API, and by hand on the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.serving import Server

EMAIL, PASSWORD = "dispatcher@rounds.example", "rounds-demo"


class Office:
    """The dispatcher's side of one server, over the API."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.token = server.sign_in(EMAIL)
        self.zone = self.get(f"/branches/{server.branch}")["tz"]
        self.taken: set[str] = set()
        self.given: set[str] = set()

    def get(self, path: str) -> Any:
        return self._call("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self._call("POST", path, body or {})

    def patch(self, path: str, body: Any) -> Any:
        return self._call("PATCH", path, body)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = self.server.call(method, f"/api/v1{path}", body, token=self.token)
        assert status in (200, 201, 204), (path, answer)
        return answer

    @property
    def today(self) -> str:
        """The date at the branch."""
        return self.server.now().astimezone(ZoneInfo(self.zone)).date().isoformat()

    def board(self, date: str) -> Any:
        return self.get(f"/board?date={date}&branch_id={self.server.branch}")

    def free_technician(self) -> tuple[str, list[dict[str, Any]]]:
        """A technician of the branch with untouched visits published for today that no test has been given yet.

        One whom no test has used comes first, then one with the most such visits; the first of them is the caller's.
        """
        found = [
            (who, [one for one in visits if one["id"] not in self.given]) for who, visits in self._with_untouched()
        ]
        found = [(who, visits) for who, visits in found if visits]
        if not found:
            pytest.fail("The demo has no untouched visit today that no test has used")
        who, visits = min(
            found, key=lambda each: (each[0] in self.taken, -len(each[1]) if each[0] in self.taken else 0)
        )
        self.taken.add(who)
        self.given.add(visits[0]["id"])
        return who, visits

    def with_two(self) -> tuple[str, list[dict[str, Any]]]:
        """The same, with two such visits at least, both the caller's, and at work at no other."""
        busy = {one["assignee_id"] for one in self.board(self.today)["visits"] if one["exec_state"] == "working"}
        for who, visits in self._with_untouched():
            free = [one for one in visits if one["id"] not in self.given]
            if len(free) > 1 and who not in busy:
                self.taken.add(who)
                self.given.update(one["id"] for one in free[:2])
                return who, free
        pytest.fail("The demo has no technician with two untouched visits that no test has used")

    def technician_to_look_at(self) -> tuple[str, list[dict[str, Any]]]:
        """A technician with untouched visits for a test that changes nothing of them."""
        return next(iter(self._with_untouched()))

    def somebody_else(self, technician: str) -> str:
        """Another technician of the branch, who may have work or none; whoever no test has used comes first."""
        others = [one["id"] for one in self.board(self.today)["technicians"] if one["id"] != technician]
        return str(min(others, key=lambda one: one in self.taken))

    def _with_untouched(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        board = self.board(self.today)
        for technician in board["technicians"]:
            visits = [
                visit
                for visit in board["visits"]
                if visit["assignee_id"] == technician["id"]
                and visit["plan_state"] == "published"
                and visit["exec_state"] == "not_started"
            ]
            if visits:
                yield technician["id"], visits

    def code_for(self, technician_id: str) -> str:
        return str(self.post("/devices/enrolment-codes", {"technician_id": technician_id})["code"])


def sign_in(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.get_by_label(re.compile("E-mail|почта")).fill(EMAIL)
    page.get_by_label(re.compile("Password|Пароль")).fill(PASSWORD)
    page.get_by_role("button", name=re.compile("Sign in|Войти")).click()
    expect(page.locator(".day-bar")).to_be_visible()


def open_board(page: Page, server: Server, date: str) -> None:
    page.goto(f"{server.url}/board?date={date}&branch={server.branch}")
    expect(page.locator(".tl-row").first).to_be_visible()


def todo(page: Page, visit_id: str) -> Locator:
    return page.locator(f'[data-todo="{visit_id}"]')


def bar(page: Page, visit_id: str) -> Locator:
    return page.locator(f'button[data-bar="{visit_id}"]')
