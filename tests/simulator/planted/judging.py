"""Bugs of judging: merge, journal, references, states, clocks, conflicts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sync.change import Body, Clash, Json, Mutation, Record
from sync.simulator.facts import Conflict, Device, Journal
from sync.simulator.memory.inbox import Inbox, Result, Sent
from sync.simulator.memory.judge import Applied, Judge, Push
from sync.simulator.memory.pages import Refusal
from sync.simulator.memory.work import Work
from sync.simulator.moments import ident
from sync.states import LEADS_TO, in_order
from tests.simulator.planted.base import Bug, with_


class LastWriteWins(Judge):
    """What comes last stands, and nobody hears of it."""

    def record(self, push: Push, mutation: Mutation, body: Body) -> Record:
        return dataclasses.replace(super().record(push, mutation, body), field_versions={})


class NobodyHears(Judge):
    """A value that did not stand is not written down."""

    def clash(self, clash: Clash, mutation: Mutation, n: int, *, late: bool) -> Conflict:
        return dataclasses.replace(super().clash(clash, mutation, n, late=late), id="")

    def keep(self, work: Work, conflict: Conflict) -> Conflict:
        return conflict if conflict.id == "" else super().keep(work, conflict)


class WrongBase(Judge):
    """The base of a conflict is what stands now, not what the device had seen."""

    def clash(self, clash: Clash, mutation: Mutation, n: int, *, late: bool) -> Conflict:
        return dataclasses.replace(super().clash(clash, mutation, n, late=late), base=clash.theirs)


class ListsReplaced(Judge):
    """A list that comes in a patch takes the place of the one that is there."""

    def update(self, mutation: Mutation, push: Push, body: Body, *, late: bool) -> Applied:
        empty = {name: [] for name in mutation.add if isinstance(body.get(name), list) and name != "asset_ids"}
        return super().update(mutation, push, body | empty, late=late)


class SetsReplaced(Judge):
    """A set that comes whole takes the place of the one that is there."""

    def update(self, mutation: Mutation, push: Push, body: Body, *, late: bool) -> Applied:
        applied = super().update(mutation, push, body, late=late)
        collection, merged = push.work.bodies[mutation.document_id]
        for name in ("tags", "asset_ids"):
            if name in mutation.set and merged is not None:
                push.work.write(mutation.document_id, collection, merged | {name: mutation.set[name]})
        return applied


class AnyTransition(Judge):
    """The newest event says where a visit stands, legal or not."""

    def settle(self, collection: str, body: Body) -> Body:
        settled = super().settle(collection, body)
        events = [one for one in in_order(body.get("events") or []) if one["type"] != "undo"]
        return settled | {"exec_state": LEADS_TO[events[-1]["type"]]} if events else settled


class UnflaggedEvent(Judge):
    """An event that is not legal is dropped without a word."""

    def settle(self, collection: str, body: Body) -> Body:
        settled = super().settle(collection, body)
        return settled | {"flags": [flag for flag in settled.get("flags", []) if flag != "illegal_event"]}


class DeviceTime(Judge):
    """A device's clock is believed as it is."""

    def corrected(self, made_at: datetime, push: Push) -> datetime:
        return made_at


class Unbounded(Judge):
    """A device's time is corrected, and may come out in the future."""

    def corrected(self, made_at: datetime, push: Push) -> datetime:
        return made_at + timedelta(seconds=push.offset.seconds)


class ForgedStamps(Judge):
    """Who wrote an entry is what the entry says."""

    def stamp(self, entry: Json, push: Push) -> Json:
        return super().stamp(entry, push) | {name: entry[name] for name in ("by",) if name in entry}


class LeakByReference(Judge):
    """A device may refer to anything, and gets it."""

    def check_references(self, mutation: Mutation, push: Push) -> None:
        return


class AnyDocument(Judge):
    """A device may write in any document."""

    def reach(self, push: Push, document_id: str) -> str:
        return "live"


class LateRefused(Judge):
    """What has left the tablet is refused."""

    def reach(self, push: Push, document_id: str) -> str:
        found = super().reach(push, document_id)
        return "never" if found == "late" else found


class TellsAll(Judge):
    """A tablet hears what others wrote in a document that it had to let go."""

    def clash(self, clash: Clash, mutation: Mutation, n: int, *, late: bool) -> Conflict:
        return super().clash(clash, mutation, n, late=False)


class OfficeFields(Judge):
    """A device's value of an office field is taken when nobody else changed it."""

    def update(self, mutation: Mutation, push: Push, body: Body, *, late: bool) -> Applied:
        applied = super().update(mutation, push, body, late=late)
        collection, merged = push.work.bodies[mutation.document_id]
        if "priority" in mutation.set and merged is not None:
            push.work.write(mutation.document_id, collection, merged | {"priority": mutation.set["priority"]})
        return applied


class WholeBody(Judge):
    """What a patch does not name is taken for empty, if no office field says otherwise."""

    def update(self, mutation: Mutation, push: Push, body: Body, *, late: bool) -> Applied:
        unknown = {"parking": None} if "parking" in body and push.device.schema_version == 1 else {}
        return super().update(mutation, push, body | unknown, late=late)


class CreatesAgain(Judge):
    """A create makes a document, each time."""

    def apply(self, mutation: Mutation, push: Push) -> Applied:
        if mutation.op == "create" and push.work.stored(mutation.document_id) is not None:
            fresh = ident("again", mutation.document_id, len(push.work.tx.disk.log))
            return self.create(dataclasses.replace(mutation, document_id=fresh), push)
        return super().apply(mutation, push)


class ByContent(Inbox):
    """A mutation was seen before if its values are there now."""

    def was_seen(self, row: Journal, sent: Sent) -> bool:
        return False

    def apply_group(
        self, group: list[Mutation], push: Push, forks: tuple[str, ...], *, spoilt: bool
    ) -> list[tuple[Mutation, Result]]:
        return super().apply_group(group, push, (), spoilt=spoilt)


class MovedAgain(Judge):
    """Each arrival of an entry is an entry of its own."""

    def stamp(self, entry: Json, push: Push) -> Json:
        return super().stamp(entry, push) | {"id": ident("arrival", entry["id"], len(push.work.tx.disk.log))}


class StolenResult(Inbox):
    """An id that another device's mutation has gets that one's result."""

    def known(self, work: Work, device: Device, sent: list[Sent]) -> tuple[list[Sent], dict[str, Journal]]:
        rows = {one.id: work.tx.get("mutation", one.id) for one in sent}
        return sent, {key: row for key, row in rows.items() if row is not None}


class HalfGroup(Inbox):
    """The members of a group go in one by one."""

    def groups(self, fresh: Sequence[Mutation]) -> list[list[Mutation]]:
        return [[mutation] for mutation in fresh]

    def apply_group(
        self, group: list[Mutation], push: Push, forks: tuple[str, ...], *, spoilt: bool
    ) -> list[tuple[Mutation, Result]]:
        return super().apply_group(group, push, forks, spoilt=False)


class GapUnnoticed(Inbox):
    """A number that never came is not named."""

    def take(self, work: Work, device: Device, body: Json) -> Json:
        return super().take(work, device, body) | {"gaps": []}


class ForkTaken(Inbox):
    """Two mutations may have one number."""

    def apply_group(
        self, group: list[Mutation], push: Push, forks: tuple[str, ...], *, spoilt: bool
    ) -> list[tuple[Mutation, Result]]:
        return super().apply_group(group, push, (), spoilt=spoilt)


class NoPayload(Inbox):
    """Of a rejected mutation only the reason is kept."""

    def journal(self, work: Work, row: Journal) -> None:
        super().journal(work, row if row.status != "rejected" else dataclasses.replace(row, payload={}))


class RejectedForgotten(Inbox):
    """A mutation that cannot be read is answered and not kept."""

    def quarantine(self, work: Work, device: Device, one: Sent) -> Result:
        return self.result(one.id, None, "rejected", {"code": one.problem})


class PoisonBlocks(Inbox):
    """One mutation that cannot be read, and the push is refused."""

    def read(self, raw: Json, device_id: str) -> Sent:
        sent = super().read(raw, device_id)
        if sent.mutation is None:
            raise Refusal(422, sent.problem)
        return sent


class PoisonSpoils(Inbox):
    """One mutation that cannot be read, and those with it are rejected too."""

    def take(self, work: Work, device: Device, body: Json) -> Json:
        self.spoilt = any(self.read(raw, device.id).mutation is None for raw in body["mutations"])
        return super().take(work, device, body)

    def apply_group(
        self, group: list[Mutation], push: Push, forks: tuple[str, ...], *, spoilt: bool
    ) -> list[tuple[Mutation, Result]]:
        return super().apply_group(group, push, forks, spoilt=spoilt or self.spoilt)


class JudgedAnew(Inbox):
    """A retry is told what would become of it now."""

    def known(self, work: Work, device: Device, sent: list[Sent]) -> tuple[list[Sent], dict[str, Journal]]:
        found, rows = super().known(work, device, sent)
        told = {}
        for key, row in rows.items():
            stored = work.stored(row.document_id or "")
            version = stored.version if stored and row.result["version"] else row.result["version"]
            told[key] = dataclasses.replace(row, result={**row.result, "version": version})
        return found, told


class WildGaps(Inbox):
    """Every number up to the highest is named, however high."""

    def take(self, work: Work, device: Device, body: Json) -> Json:
        answer = super().take(work, device, body)
        highest = max((raw["n"] for raw in body["mutations"] if isinstance(raw.get("n"), int)), default=0)
        there = {raw["n"] for raw in body["mutations"] if isinstance(raw.get("n"), int)}
        return answer | {"gaps": [n for n in range(device.numbers.highest + 1, highest) if n not in there]}


class TextMine(Judge):
    """Where two wrote in one text, the tablet's is taken and the other is gone."""

    def update(self, mutation: Mutation, push: Push, body: Body, *, late: bool) -> Applied:
        given = {name: mutation.set[name] for name in ("work_summary", "note") if name in mutation.set}
        return super().update(mutation, push, body | given, late=late)


LOUD = ("offline", "no-reply", "reassign")


def judge(name: str, says: str, faults: tuple[str, ...], laws: set[str], part: type[Any], **more: Any) -> Bug:
    server = with_(judge_class=part) if issubclass(part, Judge) else with_(inbox_class=part)
    return Bug(name=name, says=says, faults=faults, laws=frozenset(laws), server=server, **more)


SITE = ("access", "phone", "tags", "gate", "pin", "comment", "serial", "summary")

JUDGING_BUGS: tuple[Bug, ...] = (
    judge("last write wins", "what comes last stands", LOUD, {"law 2"}, LastWriteWins),
    judge("overridden, not recorded", "a value that did not stand is nowhere", LOUD, {"law 2"}, NobodyHears),
    judge("wrong base", "a conflict's base is what stands now", LOUD, {"law 2"}, WrongBase, edits=SITE),
    judge("append list overwritten", "notes of others go when one is added", LOUD, {"law 2"}, ListsReplaced),
    judge("union as replace", "tags of others go when a list is set", LOUD, {"law 2"}, SetsReplaced, edits=SITE),
    judge("text of one side", "words of others go when text is set", LOUD, {"law 2"}, TextMine),
    judge("illegal transition moves", "the newest event says where a visit stands", LOUD, {"law 8"}, AnyTransition),
    judge("illegal event unflagged", "nobody hears of an event that is not legal", LOUD, {"law 8"}, UnflaggedEvent),
    judge("device clock believed", "a time is what the tablet says", ("clock", "offline"), {"I11"}, DeviceTime),
    judge("device clock unbounded", "a jump puts a time in the future", ("clock", "offline"), {"I11"}, Unbounded),
    judge("forged author", "an entry says itself who wrote it", ("liar",), {"I8"}, ForgedStamps),
    judge("leak by reference", "a device refers to what it never had", ("liar",), {"I8", "law 5"}, LeakByReference),
    judge("any document", "a device writes in what it never had", ("liar", "reassign"), {"I8"}, AnyDocument),
    judge("late edit refused", "what was done on site is refused", LOUD, {"I6"}, LateRefused),
    judge("tells of what left", "a clash tells what others wrote since", LOUD, {"law 5"}, TellsAll),
    judge("office field taken", "a proposal is a write", LOUD, {"I8"}, OfficeFields),
    judge(
        "unknown field emptied",
        "what an old tablet does not know is taken for empty",
        ("schema",),
        {"law 2"},
        WholeBody,
        edits=("parking", "access", "tags", "gate"),
    ),
    Bug(
        name="create again",
        says="a retried create makes a second visit",
        faults=("no-reply", "twice"),
        laws=frozenset({"I2"}),
        server=with_(judge_class=CreatesAgain, inbox_class=ByContent),
        edits=("visit", "note"),
    ),
    judge(
        "idempotent by content",
        "a late retry is judged by what is there now",
        ("late", "twice", "no-reply"),
        {"law 3", "law 2"},
        ByContent,
    ),
    Bug(
        name="moved again",
        says="a part that is used once leaves the warehouse as often as the tablet says so",
        faults=("no-reply", "twice"),
        laws=frozenset({"law 9"}),
        server=with_(judge_class=MovedAgain, inbox_class=ByContent),
        edits=("part", "note"),
    ),
    judge("stolen result", "an id of another device gets its result", ("liar",), {"I8"}, StolenResult),
    judge("half a group", "a group goes in one by one", ("liar", "offline"), {"I2"}, HalfGroup),
    judge("gap unnoticed", "a number that never came is not named", ("hole",), {"I4"}, GapUnnoticed),
    judge("fork taken", "two mutations have one number", ("hole", "liar"), {"I2"}, ForkTaken),
    judge("rejected without payload", "only the reason is kept", ("poison", "liar", "hole"), {"law 2"}, NoPayload),
    judge("unreadable forgotten", "what cannot be read is not kept", ("poison",), {"I1", "I4"}, RejectedForgotten),
    judge("poison blocks", "one bad mutation and the push is refused", ("poison",), {"I5"}, PoisonBlocks),
    judge("poison spoils", "one bad mutation and the others are rejected", ("poison",), {"I6"}, PoisonSpoils),
    judge("judged anew", "a retry gets another answer", ("no-reply", "twice", "late"), {"law 3"}, JudgedAnew),
    judge("wild gaps", "a number far ahead makes a list as long", ("liar",), {"I13"}, WildGaps),
)
