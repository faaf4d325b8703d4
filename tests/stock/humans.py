"""The application with one collection more, that of RxDB's own replication suite: run as `tests.stock.humans:app`.

It is added as any synced entity would be: a schema and its line in COLLECTIONS, a model and its line in SYNCED; its
table is made here, for it has no place in the product's history. Only ever imported by a server process.
"""

from __future__ import annotations

from marshmallow import fields, validate
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from schemas.entities import COLLECTIONS
from schemas.entities.base import EVERYONE, EntitySchema, Text, shared
from server.app import create_app
from server.extensions import Model, db
from server.store.models import SYNCED
from server.store.models.synced import Synced
from server.store.types import CompanyId, Id
from sync.change import Body


class HumanSchema(EntitySchema):
    """Somebody with a passport; made and deleted by any device, the device's value stands."""

    collection = "human"
    device_may_create = True
    device_may_delete = True

    passportId = shared(Text(100, shortest=1, required=True), "technician")
    firstName = shared(Text(100, required=True), "technician")
    lastName = shared(Text(100, required=True), "technician")
    age = shared(fields.Integer(strict=True, allow_none=True, validate=validate.Range(0, 150)), "technician")

    def scopes(self, body: Body) -> frozenset[str]:
        return frozenset({EVERYONE})


class Human(Model, Synced):  # type: ignore[misc]
    collection = "human"

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    passportId: Mapped[str] = mapped_column(String(100))
    firstName: Mapped[str] = mapped_column(String(100))
    lastName: Mapped[str] = mapped_column(String(100))
    age: Mapped[int | None]


COLLECTIONS[Human.collection] = HumanSchema()
SYNCED[Human.collection] = Human

app = create_app()
with app.app_context():
    Human.__table__.create(db.engine, checkfirst=True)
    db.engine.dispose()
