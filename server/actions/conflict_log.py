"""Writing down a clash: what each side had, who and when, what was chosen and why. Nothing is stored here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server.store.documents import Writing
from server.store.models import Conflict, Visit
from server.store.types import new_id
from sync.change import Clash, Mutation


def note_clash(
    clash: Clash,
    mutation: Mutation,
    *,
    company_id: str,
    who: tuple[str | None, str],
    theirs: Writing | None,
    made_at: datetime,
    uncertainty_s: float,
    apart_since: datetime | None,
    now: datetime,
    late: bool,
) -> Conflict:
    """One clash of a mutation; open while a person should look, settled by rule otherwise.

    `theirs` says who wrote the value that the mutation met.
    """
    code = {"proposal": "proposal", "refused": "refused"}.get(clash.kind, clash.policy)
    return _conflict(
        company_id,
        mutation,
        now,
        theirs,
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
        apart_since=apart_since,
        state="open" if clash.needs_person else "settled",
    )


def note_situation(
    mutation: Mutation,
    *,
    company_id: str,
    who: tuple[str | None, str],
    theirs_by: Writing | None,
    made_at: datetime,
    apart_since: datetime | None,
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
    """Something that no single field shows: work on a reassigned or cancelled visit, two who started."""
    return _conflict(
        company_id,
        mutation,
        now,
        theirs_by,
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
        apart_since=apart_since,
        state="open" if needs_person else "settled",
    )


def _conflict(
    company_id: str, mutation: Mutation, now: datetime, their_writing: Writing | None, **values: Any
) -> Conflict:
    return Conflict(
        company_id=company_id,
        id=new_id(),
        mutation_id=mutation.id,
        device_id=mutation.device_id,
        collection=mutation.collection,
        document_id=mutation.document_id,
        visit_id=mutation.document_id if mutation.collection == Visit.collection else None,
        theirs_by_id=their_writing.by_id if their_writing else None,
        theirs_by=their_writing.by if their_writing else None,
        theirs_at=their_writing.at if their_writing else None,
        created_at=now,
        **values,
    )
