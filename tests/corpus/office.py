"""What the office does in a session, in few words that stay what they are: a session holds them as steps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Flask

from schemas.entities.base import parse_instant
from server.actions.enrol_device import make_code
from server.extensions import db
from server.store.models import SYNCED, Visit
from server.store.transaction import transactional
from tests.builders import SmallCompany, change, publish


class OfficeSteps:
    """The office of the small company."""

    def __init__(self, app: Flask, company: SmallCompany) -> None:
        self.app = app
        self.company = company

    def do(self, step: dict[str, Any]) -> str | None:
        """Take a step; what it made, as the client is told outside of the protocol: a code, an id."""
        with self.app.app_context():
            try:
                return self._do(**step)
            finally:
                db.session.remove()

    def _do(self, office: str, **given: Any) -> str | None:
        company_id = self.company.id
        if office == "code":
            return make_code(company_id, given["technician"], user_id=None, now=datetime.now(UTC)).code
        if office == "visit":
            return self.company.visit(**given["values"])
        if office == "publish":
            publish(company_id, given["visit"], given["technician"], parse_instant(given.get("start")))
        elif office == "cancel":
            change(Visit, company_id, given["visit"], plan_state="cancelled", cancel_reason=given["reason"])
        elif office == "change":
            change(SYNCED[given["collection"]], company_id, given["id"], **given["values"])
        elif office == "delete":
            _delete(company_id, given["collection"], given["id"])
        else:
            raise ValueError(office)
        return None


@transactional
def _delete(company_id: str, collection: str, document_id: str) -> None:
    db.session.delete(db.session.get(SYNCED[collection], (company_id, document_id)))
