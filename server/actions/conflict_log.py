"""Writing down a clash: what each side had, who and when, what was chosen and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server.extensions import db
from server.store import documents
from server.store.models import Conflict, Visit
from server.store.queries import conflicts
from server.store.types import new_id
from sync.change import Clash, Mutation, Record


def note_clash(
    clash: Clash,
    mutation: Mutation,
    record: Record,
    *,
    company_id: str,
    who: tuple[str | None, str],
    made_at: datetime,
    uncertainty_s: float,
    now: datetime,
    late: bool,
) -> Conflict:
    """Record one clash of a mutation; open while a person should look, settled by rule otherwise."""
    last = record.field_versions.get(clash.field)
    theirs = documents.writing(company_id, record.id, last.version) if last else None
    code = {"proposal": "proposal", "refused": "refused"}.get(clash.kind, clash.policy)
    return _add(
        company_id,
        mutation,
        now,
        field=clash.field,
        kind=clash.kind,
        clash_class=clash.clash_class,
        policy=clash.policy,
        base=clash.base,
        mine=clash.mine,
        theirs=clash.theirs,
        chosen=clash.chosen,
        value=clash.value,
        reason={"code": code, "params": {"late": late}},
        mine_by_id=who[0],
        mine_by=who[1],
        mine_at=mutation.made_at,
        mine_at_corrected=made_at,
        uncertainty_s=uncertainty_s,
        theirs_by_id=theirs.by_id if theirs else None,
        theirs_by=theirs.by if theirs else None,
        theirs_at=theirs.at if theirs else None,
        state="open" if clash.needs_person else "settled",
    )


def note_situation(
    mutation: Mutation,
    *,
    company_id: str,
    who: tuple[str | None, str],
    made_at: datetime,
    now: datetime,
    kind: str,
    code: str,
    field: str,
    base: Any,
    mine: Any,
    theirs: Any,
    needs_person: bool,
    params: dict[str, Any] | None = None,
) -> Conflict:
    """Record something that no single field shows: work on a reassigned or cancelled visit, two who started.

    What goes on from one event to the next (begun, then done) is one entry, told as it stands now.
    """
    known = conflicts.open_situation(company_id, mutation.document_id, mutation.device_id, kind, field)
    if known is not None:
        known.mine = known.value = mine
        known.reason = {"code": code, "params": params or {}}
        return known
    kept = documents.stored(company_id, mutation.document_id)
    last = kept[1].field_versions.get(field) if kept else None
    theirs_by = documents.writing(company_id, mutation.document_id, last[0]) if last else None
    return _add(
        company_id,
        mutation,
        now,
        field=field,
        kind=kind,
        clash_class="late" if kind == "late" else "hard",
        policy="state",
        base=base,
        mine=mine,
        theirs=theirs,
        chosen="mine",
        value=mine,
        reason={"code": code, "params": params or {}},
        mine_by_id=who[0],
        mine_by=who[1],
        mine_at=mutation.made_at,
        mine_at_corrected=made_at,
        theirs_by_id=theirs_by.by_id if theirs_by else None,
        theirs_by=theirs_by.by if theirs_by else None,
        theirs_at=theirs_by.at if theirs_by else None,
        state="open" if needs_person else "settled",
    )


def _add(company_id: str, mutation: Mutation, now: datetime, **values: Any) -> Conflict:
    conflict = Conflict(
        company_id=company_id,
        id=new_id(),
        mutation_id=mutation.id,
        device_id=mutation.device_id,
        collection=mutation.collection,
        document_id=mutation.document_id,
        visit_id=mutation.document_id if mutation.collection == Visit.collection else None,
        created_at=now,
        **values,
    )
    db.session.add(conflict)
    return conflict
