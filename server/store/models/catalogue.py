from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import ForeignKeyConstraint, Numeric, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.extensions import Model
from server.store.models.synced import Synced
from server.store.types import Code, CompanyId, Id, JsonList, JsonObject, Name, OptionalCode, OptionalRef, Ref


class ProductModel(Synced, Model):
    collection = "product_model"
    __table_args__ = (UniqueConstraint("company_id", "code"),)

    code: Mapped[Code]
    name: Mapped[Name]
    family: Mapped[OptionalCode]
    maker: Mapped[str | None] = mapped_column(String(120))
    meters: Mapped[JsonList]


class ServiceKind(Synced, Model):
    collection = "service_kind"
    __table_args__ = (UniqueConstraint("company_id", "code"),)

    code: Mapped[Code]
    name: Mapped[JsonObject]
    minutes: Mapped[int] = mapped_column(default=60)
    skills: Mapped[JsonList]
    checklist_id: Mapped[OptionalRef]
    included_in_warranty: Mapped[bool] = mapped_column(default=True)
    preventive: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)


class Checklist(Synced, Model):
    collection = "checklist"
    __table_args__ = (UniqueConstraint("company_id", "code", "revision"),)

    code: Mapped[Code]
    revision: Mapped[int] = mapped_column(default=1)
    title: Mapped[JsonObject]
    items: Mapped[JsonList]


class WarrantyTerm(Model):
    """What the maker promises for a model: how long, from when, what it covers."""

    __table_args__ = (UniqueConstraint("company_id", "code"),)

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    code: Mapped[Code]
    months: Mapped[int]
    starts_at: Mapped[str] = mapped_column(String(20), default="installation")
    covers_labour: Mapped[bool] = mapped_column(default=True)
    covers_parts: Mapped[bool] = mapped_column(default=True)
    covers_travel: Mapped[bool] = mapped_column(default=True)
    excluded_causes: Mapped[JsonList]
    meter: Mapped[str | None] = mapped_column(String(40))
    meter_limit: Mapped[int | None]


class Contract(Model):
    """What one customer has agreed: period, kinds that are included, prices of its own."""

    __table_args__ = (
        UniqueConstraint("company_id", "number"),
        ForeignKeyConstraint(["company_id", "customer_id"], ["customer.company_id", "customer.id"]),
    )

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    number: Mapped[Code]
    customer_id: Mapped[Ref]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    included_kinds: Mapped[JsonList]
    included_visits: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3))
    price_list: Mapped[OptionalCode]
    items: Mapped[JsonList]


class PriceItem(Model):
    """One price of a list: of a contract list, a branch's list, or the base list (`branch_id` null)."""

    __table_args__ = (UniqueConstraint("company_id", "list_code", "branch_id", "kind", "line", "valid_from"),)

    company_id: Mapped[CompanyId]
    id: Mapped[Id]
    list_code: Mapped[Code]
    branch_id: Mapped[OptionalRef]
    kind: Mapped[Code]
    line: Mapped[str] = mapped_column(String(20), default="labour")
    unit: Mapped[str] = mapped_column(String(10), default="visit")
    amount: Mapped[Decimal] = mapped_column(Numeric(14, 2))
    currency: Mapped[str] = mapped_column(String(3))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
