"""The in-memory server: its door, its commits, its crashes, its backups."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from sync.change import Json
from sync.simulator.facts import Device, Entities, Facts, Truth
from sync.simulator.memory.desk import Desk
from sync.simulator.memory.disk import Disk
from sync.simulator.memory.feed import NO_REASONS, Feed
from sync.simulator.memory.inbox import Inbox
from sync.simulator.memory.judge import Judge
from sync.simulator.memory.pages import PAGE, Pages, Refusal
from sync.simulator.memory.work import Work
from sync.simulator.moments import ident, moment
from sync.simulator.side import ACTS, REFUSED, Act, Busy, Crashed, Outcome
from sync.simulator.world import ENTITIES, Company, Kind, rules

NEWER_SITE = Kind(rules={**ENTITIES["site"].rules, **rules(parking=("shared", "technician"))}, refs=("customer_id",))
"""The newer form of a site: a field that older tablets do not know."""

VERSION_STEP = 1_000_000
"""After a restore the versions of documents begin this much higher, so that none is given twice."""

CAN = frozenset(ACTS) | {"power", "restore", "stock"}


class MemoryServer:
    """A company's server. The parts are attributes of the class, so that a test can put a broken one in their place."""

    feed_class = Feed
    judge_class = Judge
    inbox_class = Inbox
    pages_class = Pages
    desk_class = Desk
    disk_class = Disk

    def __init__(self, company: Company, *, seed: int = 0) -> None:
        self.company = company
        self.seed = seed
        self.can = CAN
        self.kinds: dict[str, Kind] = dict(ENTITIES)
        self.entities: Entities = self.kinds
        self.disk = self.disk_class()
        self.feed = self.feed_class(self.kinds)
        self.judge = self.judge_class(self.kinds)
        self.inbox = self.inbox_class(self.kinds, self.judge)
        self.pages = self.pages_class(self.disk)
        self.desk = self.desk_class(self.kinds, self.feed, self.judge)
        self.up = True
        self.guard_broken = False
        self.steps: int | None = None
        self.power = False
        self.open: dict[str, tuple[Work, Outcome]] = {}
        self.locks: dict[str, str] = {}
        self.kept: int | None = None
        self.epochs = 0
        self.ended: set[str] = set()
        """Devices that were revoked, noted outside of the database: a restore must not let a lost tablet in again."""
        self._found()

    def _found(self) -> None:
        self.disk.write((("meta", "epoch", ident("epoch", self.seed, 0)),))
        work = self.work(0.0)
        for document_id, (collection, body) in self.company.documents.items():
            work.write(document_id, collection, body)
        self.commit(work)

    # --- the door ---

    def request(self, at: float, token: str, method: str, path: str, body: Json | None) -> tuple[int, Json]:
        """One request of a device."""
        if not self.up:
            raise Crashed
        try:
            answer = self.answer(at, token, f"{method} {urlsplit(path).path}", path, body or {})
            self.step("answer")
            return answer
        except Refusal as refusal:
            return refusal.status, {"code": refusal.code} | refusal.more
        except Busy:
            return 503, {"code": "busy"}
        finally:
            self.steps = None

    def answer(self, at: float, token: str, what: str, path: str, body: Json) -> tuple[int, Json]:
        """Status and body; raises Refusal or Busy."""
        self.step("begin")
        if what == "POST /sync/v1/enrol":
            return 201, self.enrol(at, body)
        device = self.device_of(token)
        if device.revoked:
            raise self.farewell(device, at, body if what == "POST /sync/v1/push" else {})
        if what == "GET /sync/v1/pull":
            query = parse_qs(urlsplit(path).query)
            cursor = query["cursor"][0] if "cursor" in query else None
            return 200, self.pages.page(device.id, cursor, int(query["limit"][0]) if "limit" in query else PAGE)
        if what == "POST /sync/v1/push":
            work = self.work(at, device_id=device.id)
            answer = self.inbox.take(work, device, body)
            self.commit(work)
            # Read after the commit: who reads a lower number than a backup takes is in its copy.
            return 200, answer | self.pages.history()
        raise Refusal(404, "not-found")

    def enrol(self, at: float, body: Json) -> Json:
        """Make a tablet a technician's."""
        work = self.work(at)
        device = self.desk.enrol(work, body["code"], body["schema_version"])
        if device is None:
            raise Refusal(403, "wrong-code")
        self.commit(work)
        technician = {"id": device.technician_id, "name": device.technician_id[:8]}
        return {"token": device.token, "device_id": device.id, "technician": technician}

    def device_of(self, token: str) -> Device:
        """Who is asking; raises Refusal. What cannot be checked is not let in."""
        if self.guard_broken:
            raise Refusal(503, "database-away")
        device: Device | None = self.disk.table("device").get(self.disk.table("token").get(token))
        if device is None:
            raise Refusal(401, "unauthenticated")
        return device

    def farewell(self, device: Device, at: float, body: Json) -> Refusal:
        """What a tablet is told whose access has ended; what it pushes is kept unread (S-79, S-80)."""
        sent = [one for one in body.get("mutations", ()) if isinstance(one, dict) and isinstance(one.get("id"), str)]
        if sent:
            work = self.work(at)
            for one in sent:
                work.tx.put("salvage", one["id"], device.id)
            self.write_out(work)
        return Refusal(401, "device-revoked", wipe=True, **({"salvaged": True} if sent else {}))

    # --- the office ---

    def act(self, at: float, act: Act) -> Outcome:
        """One act of the office or the operator."""
        if not self.up:
            raise Crashed
        try:
            self.step("begin")
            special = {"begin": self.begin, "guard": self.set_guard, "schema": self.new_schema, "commit": self.end}
            if act.name in special:
                return special[act.name](at, act.what)
            work = self.work(at)
            self.feed.begin(work)
            outcome = self.desk.do(work, act)
            if outcome.done:
                if act.name == "revoke":
                    self.note_revoked(str(act.what["device_id"]))
                self.commit(work)
            self.step("answer")
            return outcome
        finally:
            self.steps = None

    def begin(self, at: float, what: Mapping[str, Json]) -> Outcome:
        """An office transaction that stays open: what it writes is locked, nobody sees it."""
        name = str(what["name"])
        if name in self.open:
            return REFUSED
        work = self.work(at, name=name)
        outcome = self.desk.edit(work, what)
        if outcome.done:
            self.feed.begin(work)
            self.open[name] = (work, outcome)
            self.locks.update((document_id, name) for document_id in work.bodies)
        return Outcome(done=outcome.done, code=outcome.code)

    def end(self, at: float, what: Mapping[str, Json]) -> Outcome:
        """The open transaction commits; when another one has what it needs, it is rolled back."""
        if what["name"] not in self.open:
            return REFUSED
        work, outcome = self.open[what["name"]]
        try:
            self.commit(work)
        finally:
            self.open.pop(what["name"], None)
            self.locks = {doc: held for doc, held in self.locks.items() if held != what["name"]}
        return outcome

    def note_revoked(self, device_id: str) -> None:
        """Keep outside of the database that a tablet's access ends."""
        self.ended.add(device_id)

    def set_guard(self, at: float, what: Mapping[str, Json]) -> Outcome:
        """The table of tokens cannot be read, or can again."""
        self.guard_broken = bool(what["broken"])
        return Outcome(done=True)

    def new_schema(self, at: float, what: Mapping[str, Json]) -> Outcome:
        """An upgrade while tablets are out: a site has one field more."""
        self.kinds["site"] = NEWER_SITE
        return Outcome(done=True)

    # --- commits, crashes, backups ---

    def work(self, at: float, *, device_id: str | None = None, name: str = "") -> Work:
        """A new transaction."""
        return Work(self.disk, at=moment(at), device_id=device_id, step=self.step, locks=self.locks, name=name)

    def commit(self, work: Work) -> None:
        """Feed and scopes follow what changed, and all of it commits together."""
        self.feed.record(work)
        self.write_out(work)

    def write_out(self, work: Work) -> None:
        """Commit, then sync; only then may anything be answered."""
        self.step("before commit")
        self.disk.write(work.tx.as_changes())
        self.step("committed")
        self.disk.sync()
        self.step("synced")

    def step(self, name: str) -> None:
        """A point at which the server may go down."""
        if self.steps is None:
            return
        if self.steps == 0:
            self.steps = None
            self.go_down(power=self.power)
            raise Crashed(name)
        self.steps -= 1

    def crash_at(self, step: int, *, power: bool) -> None:
        """Go down at this step of the next request or act."""
        self.steps, self.power = step, power

    def go_down(self, *, power: bool) -> None:
        """What is in memory is gone, and with `power` what the disk had not synced."""
        self.up = False
        self.open, self.locks = {}, {}
        if power:
            self.disk.cut_power()
        self.pages.begun = {}

    def start(self) -> None:
        """Come up again; what the one before had written and not synced is synced before anybody reads it."""
        self.up = True
        self.settle()
        self.steps = None

    def settle(self) -> None:
        """Sync what is committed."""
        self.disk.sync()

    def backup(self) -> None:
        """Keep all that is committed now, and say so to the tablets (S-71)."""
        number = self.number_of_backup()
        self.kept = len(self.disk.log)
        self.disk.write((("meta", "backed_up_through", number - 1),))
        self.disk.sync()

    def number_of_backup(self) -> int:
        """A feed number for the backup alone: what was answered with it or a later one may not be in the copy, for
        an answer without effect takes none."""
        number: int = self.disk.table("meta").get("n", 0) + 1
        self.disk.write((("meta", "n", number),))
        return number

    def restore(self) -> bool:
        """Go back to the last backup: another epoch, and versions that the other history cannot have given."""
        if self.kept is None or self.kept > len(self.disk.log):
            return False
        self.open, self.locks = {}, {}
        self.disk.rewind(self.kept)
        self.epochs += 1
        self.disk.write(self.after_restore())
        self.disk.sync()
        return True

    def after_restore(self) -> tuple[tuple[str, str, Json], ...]:
        """What a restored server must write before it answers anybody."""
        devices: dict[str, Device] = self.disk.table("device")
        again = [dataclasses.replace(devices[each], revoked=True) for each in sorted(self.ended & devices.keys())]
        return (
            ("meta", "epoch", ident("epoch", self.seed, self.epochs)),
            ("meta", "version_floor", self.epochs * VERSION_STEP),
            *(("device", device.id, device) for device in again),
        )

    # --- a look inside ---

    def truth(self) -> Truth:
        """The committed documents now."""
        meta = self.disk.table("meta")
        return Truth(
            epoch=meta["epoch"],
            newest=meta.get("n", 0),
            documents=self.disk.table("document"),
            subscriptions=self.disk.table("scopes"),
        )

    def facts(self) -> Facts:
        """All that is committed now."""
        reasons = self.disk.table("reason")
        return Facts(
            truth=self.truth(),
            versions=self.disk.table("version"),
            feed=tuple(self.disk.table("feed").values()),
            reasons={doc: held or NO_REASONS for doc, held in reasons.items()},
            journal=self.disk.table("mutation"),
            conflicts=tuple(self.disk.table("conflict").values()),
            devices=self.disk.table("device"),
            salvage=self.disk.table("salvage"),
        )
