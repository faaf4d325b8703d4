from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.models.synced import Synced
from server.store.types import At, Code, CompanyId, Id, JsonList, LongText, Name, OptionalCode, OptionalRef, Ref


class Customer(Synced, Model):
    collection = "customer"
    __table_args__ = (UniqueConstraint("company_id", "external_ref"),)

    name: Mapped[Name]
    kind: Mapped[OptionalCode]
    locale: Mapped[str] = mapped_column(String(5))
    phone: Mapped[str | None] = mapped_column(String(60))
    email: Mapped[str | None] = mapped_column(String(200))
    note: Mapped[LongText]
    external_ref: Mapped[OptionalCode]


class Site(Synced, Model):
    collection = "site"
    __table_args__ = (
        UniqueConstraint("company_id", "external_ref"),
        ForeignKeyConstraint(["company_id", "customer_id"], ["customer.company_id", "customer.id"]),
        ForeignKeyConstraint(["company_id", "branch_id"], ["branch.company_id", "branch.id"]),
        Index(None, "company_id", "customer_id"),
        Index(None, "company_id", "branch_id"),
    )

    customer_id: Mapped[Ref]
    branch_id: Mapped[Ref]
    name: Mapped[Name]
    address: Mapped[str | None] = mapped_column(String(300))
    city: Mapped[str | None] = mapped_column(String(120))
    lat: Mapped[float]
    lon: Mapped[float]
    tz: Mapped[str] = mapped_column(String(64))
    opening_hours: Mapped[str | None] = mapped_column(String(300))
    contact_name: Mapped[str | None] = mapped_column(String(120))
    contact_phone: Mapped[str | None] = mapped_column(String(60))
    access_note: Mapped[LongText]
    danger_note: Mapped[LongText]
    tags: Mapped[JsonList]
    external_ref: Mapped[OptionalCode]


class Asset(Synced, Model):
    collection = "asset"
    __table_args__ = (
        UniqueConstraint("company_id", "external_ref"),
        ForeignKeyConstraint(["company_id", "site_id"], ["site.company_id", "site.id"]),
        ForeignKeyConstraint(["company_id", "model_id"], ["product_model.company_id", "product_model.id"]),
        Index(None, "company_id", "site_id"),
        Index(None, "company_id", "serial"),
    )

    site_id: Mapped[Ref]
    model_id: Mapped[Ref]
    serial: Mapped[str] = mapped_column(String(80))
    position: Mapped[str | None] = mapped_column(String(200))
    installed_on: Mapped[date | None]
    commissioned_on: Mapped[date | None]
    in_service: Mapped[bool] = mapped_column(default=True)
    warranty_term: Mapped[OptionalCode]
    warranty_starts_on: Mapped[date | None]
    warranty_ends_on: Mapped[date | None]
    external_ref: Mapped[OptionalCode]
    recent_visits: Mapped[JsonList]


class MeterReading(Model):
    """A meter's value, as a row that plans can ask for: the entry of a visit by its id, or what the office was told.

    Append-only. `replaced` marks the first value of a new meter; `judged` is what a person said of a doubtful one.
    """

    __table_args__ = (
        ForeignKeyConstraint(["company_id", "asset_id"], ["asset.company_id", "asset.id"]),
        Index(None, "company_id", "asset_id", "meter", "taken_at"),
    )

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    asset_id: Mapped[Ref]
    visit_id: Mapped[OptionalRef]
    meter: Mapped[Code]
    value: Mapped[float]
    unit: Mapped[str | None] = mapped_column(String(20))
    taken_at: Mapped[At]
    replaced: Mapped[bool] = mapped_column(default=False)
    judged: Mapped[str | None] = mapped_column(String(20))
