"""A recorded session against the server of today: the same requests, and answers that its client gets along with.

An answer may say more than the recorded one. What it said then it must say still: keys, values, results, documents.
Ids, tokens, cursors, versions and moments that the server makes may be others; then requests that repeat them do too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask.testing import FlaskClient

from tests.builders import SmallCompany
from tests.corpus.office import OfficeSteps

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d\d:\d\d))?")
OPAQUE = {"cursor", "token", "epoch"}
"""Names of texts that mean something to the server alone."""
WORDS = {"title", "detail", "text", "request_id", "description"}
"""Names of texts for people."""
SERVER_MOMENTS = {"server_time", "received_at", "at_corrected", "started_at", "finished_at"}
SERVER_MOMENTS |= {"planned_start", "planned_end"}
"""Names of moments that the server makes. All others are compared where a request has said them."""
NUMBERS = {"seq", "backed_up_through", "lwt"}
VERSIONS = ("version", "base_version")
BY_ID = {"changes", "documents", "created", "updated", "deleted"}
"""Names of lists whose order means nothing."""

Json = Any


class Differs(AssertionError):
    """The server answers otherwise than a client of then was promised."""


class Replay:
    """One session on one company. `bound` is what ids, tokens and cursors of then are now, `heard` all answers."""

    def __init__(self, client: FlaskClient, office: OfficeSteps, session: Json) -> None:
        self.client = client
        self.office = office
        self.steps: list[Json] = session["steps"]
        self.bound: dict[str, str] = {}
        self.versions: dict[tuple[str, int], int] = {}
        self.places: dict[str, dict[str, str]] = {}
        self.said: set[str] = set()
        self.heard: list[Json] = []
        self._bind_company(session["company"], office.company)

    def run(self) -> None:
        """Take all steps; raises `Differs` with the step and the place in the answer."""
        at = 0
        while at < len(self.steps):
            step = self.steps[at]
            if "office" in step["do"]:
                made = self.office.do(self._rewritten(step["do"]))
                if step.get("made"):
                    self.bound[step["made"]] = str(made)
                at += 1
            elif step["do"]["path"].startswith("/sync/v1/pull"):
                at = self._read(at)
            else:
                status, answer = self._ask(step["do"])
                self._same(step["status"], status, f"{at} status ({answer})")
                self._compare(step["answer"], answer, str(at))
                at += 1

    def _read(self, at: int) -> int:
        """Pulls that follow each other, however the server parts them; the step after them."""
        first = self.steps[at]["do"]
        told: dict[str, Json] = {}
        last = self.steps[at]
        end = at
        for step in self.steps[at:]:
            if step["do"].get("path", "").partition("?")[0] != "/sync/v1/pull" or step["do"]["token"] != first["token"]:
                break
            end += 1
            last = step
            told |= {change["id"]: change for change in step["answer"].get("changes", [])}
            if not step["answer"].get("more"):
                break
        found: dict[str, Json] = {}
        query = dict(parse_qsl(urlsplit(first["path"]).query))
        query["cursor"] = self.bound.get(query.get("cursor", ""), query.get("cursor", ""))
        while True:
            path = "/sync/v1/pull?" + urlencode({name: value for name, value in query.items() if value})
            status, answer = self._ask(first | {"path": path})
            self._same(last["status"], status, f"{at} status ({answer})")
            found |= {change["id"]: change for change in answer.get("changes", [])}
            if not answer.get("more"):
                break
            query["cursor"] = answer["cursor"]
        changes = {"changes": list(told.values())}, {"changes": list(found.values())}
        self._compare(last["answer"] | changes[0], answer | changes[1], str(at))
        return end

    def _ask(self, request: Json) -> tuple[int, Json]:
        headers = {"Authorization": f"Bearer {self.bound.get(request['token'], request['token'])}"}
        body = self._rewritten(request["body"])
        answer = self.client.open(
            self._path(request["path"]),
            method=request["method"],
            json=body,
            headers=headers if request["token"] else {},
        )
        found = parsed(answer.get_data(as_text=True))
        self.heard.append(found)
        return answer.status_code, found

    def _path(self, path: str) -> str:
        place, _, query = path.partition("?")
        place = UUID.sub(lambda found: self.bound.get(found[0], found[0]), place)
        asked = dict(parse_qsl(query, keep_blank_values=True))
        known = self.places.get(_place_text({name: asked[name] for name in asked if name in PLACE}))
        asked = {name: self._texts(value) for name, value in asked.items()} | (known or {})
        return place + (f"?{urlencode(asked)}" if asked else "")

    def _texts(self, value: str) -> str:
        found = UUID.sub(lambda found: self.bound.get(found[0], found[0]), value)
        return self.bound.get(value, found)

    def _rewritten(self, value: Json) -> Json:
        """A request with what is called otherwise today."""
        if isinstance(value, str):
            self.said.add(value)
            return self._texts(value)
        if isinstance(value, list):
            return [self._rewritten(one) for one in value]
        if not isinstance(value, dict):
            return value
        whose = value.get("document_id") or value.get("id")
        found = {self._texts(name): self._rewritten(one) for name, one in value.items()}
        for name in VERSIONS:
            if isinstance(value.get(name), int):
                found[name] = self.versions.get((str(whose), value[name]), value[name])
        return found

    def _compare(self, told: Json, found: Json, where: str) -> None:
        name = where.rpartition(".")[2]
        if isinstance(told, dict):
            self._same(True, isinstance(found, dict), where)
            self._compare_objects(told, found, where)
        elif isinstance(told, list):
            self._same(True, isinstance(found, list), where)
            self._compare_lists(told, found, where)
        elif isinstance(told, str) and isinstance(found, str):
            self._compare_texts(told, found, where)
        elif name in NUMBERS and isinstance(told, int):
            self._same(True, isinstance(found, int), where)
        else:
            self._same(told, found, where)

    def _compare_objects(self, told: Json, found: Json, where: str) -> None:
        if told.keys() >= PLACE:
            self.places[_place_text({name: told[name] for name in PLACE})] = {name: str(found[name]) for name in PLACE}
            return
        whose = told.get("document_id") or told.get("id")
        for key, value in told.items():
            if key == "text" and "code" in told:
                # Words for people may get better; what a client goes by is the code.
                self._same(sorted(value), sorted(found.get(key) or {}), f"{where}.{key}")
                continue
            mine = self._texts(key)
            if mine not in found:
                raise Differs(f"{where}: {key} is missing in {list(found)}")
            if key in VERSIONS and isinstance(value, int):
                self._same(True, isinstance(found[mine], int), f"{where}.{key}")
                self.versions[str(whose), value] = found[mine]
            elif key == "timestamp" and isinstance(value, int):
                self.places[_place_text({"last_pulled_at": value})] = {"last_pulled_at": str(found[mine])}
            elif key in ("collections", "buckets") and all(_is_sum(one) for one in value.values()):
                self._same({each: one[0] for each, one in value.items()}, _counts(found[mine], value), f"{where}.{key}")
            else:
                self._compare(value, found[mine], f"{where}.{key}")

    def _compare_lists(self, told: list[Json], found: list[Json], where: str) -> None:
        if len(told) != len(found):
            raise Differs(f"{where}: {len(found)} instead of {len(told)}: {json.dumps(found)[:2000]}")
        if where.rpartition(".")[2] not in BY_ID:
            for n, (one, other) in enumerate(zip(told, found, strict=True)):
                self._compare(one, other, f"{where}.{n}")
            return
        rest = list(found)
        # First those whose ids are known: what they refer to names others.
        for one in sorted(told, key=lambda one: self._texts(_id_of(one)) not in {_id_of(other) for other in rest}):
            at = self._match(one, rest, where)
            rest.pop(at)

    def _match(self, one: Json, rest: list[Json], where: str) -> int:
        """Which of the answer's it is: the one of its id, or one that says the same under another id."""
        known = self._texts(_id_of(one))
        for n, other in enumerate(rest):
            if _id_of(other) == known:
                self._compare(one, other, f"{where}.{_id_of(one)}")
                return n
        why = ""
        for n, other in enumerate(rest):
            before = dict(self.bound), dict(self.versions)
            try:
                self._compare(one, other, f"{where}.{_id_of(one)}")
            except Differs as error:
                self.bound, self.versions = before
                why = str(error)
            else:
                return n
        raise Differs(f"{where}: nothing like {json.dumps(one)[:1000]} ({why})")

    def _compare_texts(self, told: str, found: str, where: str) -> None:
        name = where.rpartition(".")[2]
        if self._texts(told) == found or name in WORDS or (told and found and name == "message"):
            return
        inside = parsed(told), parsed(found)
        if not isinstance(inside[0], str):
            self._compare(*inside, where)
            return
        if name in SERVER_MOMENTS and MOMENT.fullmatch(told) and MOMENT.fullmatch(found):
            return
        if told in self.bound or told in self.said:
            raise Differs(f"{where}: {found!r} instead of {self._texts(told)!r}")
        if MOMENT.fullmatch(told) and MOMENT.fullmatch(found):
            return
        if name in OPAQUE or (UUID.fullmatch(told) and UUID.fullmatch(found)):
            self.bound[told] = found
            return
        raise Differs(f"{where}: {found!r} instead of {told!r}")

    def _same(self, told: Json, found: Json, where: str) -> None:
        if told != found:
            raise Differs(f"{where}: {found!r} instead of {told!r}")

    def _bind_company(self, told: Json, company: SmallCompany) -> None:
        for one, other in zip(_leaves(told), _leaves(vars(company)), strict=True):
            self.bound[one] = other


PLACE = {"seq", "lwt", "id", "epoch", "again"}
"""The keys of a checkpoint of RxDB."""


def parsed(text: str) -> Json:
    """JSON, or the text itself."""
    try:
        return json.loads(text) if text[:1] in ("{", "[") else text
    except ValueError:
        return text


def _place_text(place: dict[str, Any]) -> str:
    return json.dumps({name: str(value) for name, value in sorted(place.items())})


def _is_sum(value: Json) -> bool:
    return isinstance(value, list) and len(value) == 2


def _counts(found: Json, told: Json) -> Json:
    return {each: found[each][0] for each in told if each in found}


def _id_of(one: Json) -> str:
    return str(one.get("id")) if isinstance(one, dict) else str(one)


def _leaves(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one)
