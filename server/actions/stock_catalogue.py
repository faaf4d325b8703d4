"""The kinds of work that a service organisation starts with, and their checklists, in both languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from server.extensions import db
from server.store.models import Checklist, ServiceKind
from server.store.transaction import transactional
from server.store.types import new_id

FOLDER = Path(__file__).parent / "catalogue"


def known(name: str) -> Any:
    """The content of `checklists` or `service-kinds`, as it was written."""
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


@transactional
def stock_catalogue(company_id: str) -> None:
    """Add all kinds of work and their checklists to a company that has none."""
    checklists = {}
    for source in known("checklists"):
        row = Checklist(company_id=company_id, id=new_id(), revision=1, **source)
        checklists[row.code] = row.id
        db.session.add(row)
    for source in known("service-kinds"):
        db.session.add(
            ServiceKind(
                company_id=company_id,
                id=new_id(),
                code=source["code"],
                name={"en": source["en"], "ru": source["ru"]},
                minutes=source["minutes"],
                # Skills are a company's own words; none are asked for before it has named them.
                skills=[],
                checklist_id=checklists.get(source["checklist"]),
                included_in_warranty=source["warranty"],
                preventive=source["preventive"],
                active=True,
            )
        )
