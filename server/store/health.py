from __future__ import annotations

from sqlalchemy import inspect, select, text

from server.extensions import db
from server.store.models import Company


def read() -> None:
    """Touch the database; raises what the door answers with 503."""
    db.session.execute(text("SELECT 1"))


def missing() -> list[str]:
    """What keeps the server from serving: `migrations`, `company`."""
    if not inspect(db.engine).has_table("company"):
        return ["migrations"]
    return [] if db.session.scalar(select(Company.id).limit(1)) else ["company"]
