"""Base, mine, theirs and the field rules in; the merged body and the clashes out. The whole engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from sync.change import Body, Clash, ClashKind, FieldRule, Json, Merged, Mutation, Record, Status, same
from sync.policies import POLICIES, Meeting, Verdict

Rules = Mapping[str, FieldRule]

ENTRY_POLICIES = frozenset({"append", "state"})

STAMPS = frozenset({"by", "by_name", "device_id", "at_corrected"})
"""What the server writes on an entry; a device that sends them back is not changing the entry."""


def merge(
    record: Record,
    mutation: Mutation,
    rules: Rules,
    *,
    base: Body,
    mine_at: datetime | None = None,
    theirs_at: Callable[[str], datetime | None] = lambda field: None,
    stamp: Callable[[Json], Json] = lambda entry: entry,
) -> Merged:
    """Merge one update into `record`; every key of the mutation must have a rule.

    `base` is the body that the device had seen, its own earlier edits included as it made them; a key absent from it
    was not known to the device. `theirs_at` says when a field of the record last changed; `stamp` adds what the
    server knows to a new entry. Steps: values, entries added, elements removed.
    """
    body = dict(record.body)
    clashes: list[Clash] = []
    for name, value in mutation.set.items():
        rule = rules[name]
        if rule.policy in ENTRY_POLICIES:
            clashes += _add_entries(body, rule, value or [], stamp)
            continue
        clash = _set_value(body, record, mutation, rule, value, base.get(name), mine_at, theirs_at)
        if clash is not None:
            clashes.append(clash)
    for name, entries in mutation.add.items():
        rule = rules[name]
        if rule.policy in ENTRY_POLICIES:
            clashes += _add_entries(body, rule, entries, stamp)
        else:
            clashes += _change_set(body, rule, added=list(entries), removed=[])
    for name, elements in mutation.remove.items():
        clashes += _change_set(body, rules[name], added=[], removed=list(elements))
    changed = frozenset(name for name in body if not same(body[name], record.body.get(name)))
    return Merged(status=_status(record, mutation, clashes), body=body, changed=changed, clashes=tuple(clashes))


def conservative(rules: Rules) -> dict[str, FieldRule]:
    """The same rules for people who must never see their value replaced unasked: the server's value stays where both
    sides changed it. Sets and entries commute, so that nothing is to be asked of them."""
    return {
        name: replace(rule, policy="ask") if rule.policy not in ("office", "server", "union", *ENTRY_POLICIES) else rule
        for name, rule in rules.items()
    }


def is_clean(record: Record, mutation: Mutation, rule: FieldRule) -> bool:
    """Whether nobody changed the field since the version that the mutation is based on.

    A base that the record has not reached yet is of another history (a server restored from backup): not clean. What
    this device wrote itself since then is in the base that it is merged with, and is no clash when it stands there.
    """
    last = record.field_versions.get(rule.name)
    if last is None:
        return True
    return mutation.base_version is not None and last.version <= mutation.base_version <= record.version


def _set_value(
    body: Body,
    record: Record,
    mutation: Mutation,
    rule: FieldRule,
    mine: Json,
    base: Json,
    mine_at: datetime | None,
    theirs_at: Callable[[str], datetime | None],
) -> Clash | None:
    theirs = record.body.get(rule.name)
    if same(mine, theirs):
        return None
    if rule.owner == "server" or rule.policy == "server":
        return _clash(rule, "refused", base, mine, theirs, Verdict(value=theirs, chosen="theirs", needs_person=False))
    if rule.owner == "office":
        return _clash(rule, "proposal", base, mine, theirs, Verdict(value=theirs, chosen="theirs", needs_person=True))
    if rule.policy != "union" and (is_clean(record, mutation, rule) or same(base, theirs)):
        body[rule.name] = mine
        return None
    meeting = Meeting(base=base, mine=mine, theirs=theirs, mine_at=mine_at, theirs_at=theirs_at(rule.name))
    verdict = POLICIES[rule.policy](meeting)
    body[rule.name] = verdict.value
    if rule.policy == "union":
        return None
    return _clash(rule, "value", base, mine, theirs, verdict)


def _add_entries(body: Body, rule: FieldRule, entries: Json, stamp: Callable[[Json], Json]) -> list[Clash]:
    if rule.owner not in ("field", "shared"):
        return [_refused(rule, entries, body.get(rule.name))]
    there = {entry["id"]: entry for entry in body.get(rule.name) or []}
    fresh: list[Json] = []
    clashes: list[Clash] = []
    for entry in entries:
        known = there.get(entry["id"])
        if known is None:
            stamped = stamp(entry)
            there[entry["id"]] = stamped
            fresh.append(stamped)
        elif not same(_unstamped(entry), _unstamped(known)):
            clashes.append(_refused(rule, entry, known))
    if fresh:
        meeting = Meeting(base=[], mine=fresh, theirs=body.get(rule.name) or [])
        body[rule.name] = POLICIES[rule.policy](meeting).value
    return clashes


def _change_set(body: Body, rule: FieldRule, *, added: list[Json], removed: list[Json]) -> list[Clash]:
    if rule.policy != "union" or rule.owner not in ("field", "shared"):
        return [_refused(rule, added or removed, body.get(rule.name))]
    theirs = body.get(rule.name) or []
    mine = [item for item in theirs if not any(same(item, gone) for gone in removed)] + added
    body[rule.name] = POLICIES["union"](Meeting(base=theirs, mine=mine, theirs=theirs)).value
    return []


def _unstamped(entry: Json) -> Json:
    return {key: value for key, value in entry.items() if key not in STAMPS and value is not None}


def _refused(rule: FieldRule, mine: Json, theirs: Json) -> Clash:
    return _clash(rule, "refused", None, mine, theirs, Verdict(value=theirs, chosen="theirs", needs_person=True))


def _clash(rule: FieldRule, kind: ClashKind, base: Json, mine: Json, theirs: Json, verdict: Verdict) -> Clash:
    return Clash(
        field=rule.name,
        kind=kind,
        clash_class="refused" if kind == "refused" else "hard",
        policy=rule.policy,
        base=base,
        mine=mine,
        theirs=theirs,
        chosen=verdict.chosen,
        value=verdict.value,
        needs_person=verdict.needs_person,
    )


def _status(record: Record, mutation: Mutation, clashes: list[Clash]) -> Status:
    if any(clash.chosen == "theirs" for clash in clashes):
        return "overridden"
    others = any(
        last.device_id != mutation.device_id and last.version > (mutation.base_version or 0)
        for last in record.field_versions.values()
    )
    return "merged" if others and mutation.op != "create" else "applied"
