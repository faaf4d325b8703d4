"""All lists of the office API: what each shows, filters and sorts by."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from schemas.agreements import ContractSchema, PriceItemSchema, WarrantyTermSchema
from schemas.entities.base import Day, Id, Instant, Text
from schemas.office import (
    DeviceItem,
    JournalItem,
    OccurrenceItem,
    PlanItem,
    RoutePlanItem,
    reason_in,
)
from server.actions.plan_words import words_for
from server.actions.read_fleet import describe
from server.api.body import Blueprint
from server.api.door import OFFICE, locale, now, principal
from server.api.items import shown
from server.api.listing import Filter, Resource, add_listing, documents_of
from server.store import listing
from server.store.models import (
    Asset,
    Branch,
    Checklist,
    Contract,
    Customer,
    Device,
    MaintenancePlan,
    Mutation,
    Occurrence,
    PriceItem,
    ProductModel,
    RoutePlan,
    ServiceKind,
    Site,
    Technician,
    Visit,
    WarrantyTerm,
)
from server.store.queries import people
from server.store.queries.filters import (
    FAR,
    FAR_DAY,
    at_least,
    at_most,
    by,
    contains,
    equals,
    visits_of_branch,
    visits_of_technician,
    visits_on,
)

blueprint = Blueprint("lists", __name__, url_prefix="/api/v1", description="Lists")

MANAGERS = ("manager", "admin")


def text(longest: int = 80) -> Text:
    return Text(longest, shortest=1)


def ident() -> Id:
    return Id()


def name_sorts(model: Any, column: Any) -> dict[str, Any]:
    return {"name" if column.key == "name" else column.key: by(column), "id": by(model.id)}


def _occurrences(rows: list[Any]) -> list[dict[str, Any]]:
    words = words_for(principal().company_id, [row.plan_id for row in rows])
    items = []
    for row in rows:
        item = dict(OccurrenceItem(exclude=["reason", "basis"]).dump(row))
        told = {
            name: reason_in(words[row.plan_id].say, "plan", getattr(row, name), locale())
            for name in ("reason", "basis")
        }
        items.append(item | told)
    return items


def _devices(rows: list[Any]) -> list[dict[str, Any]]:
    return describe(principal().company_id, rows, now(), locale())


def _visits(rows: list[Any]) -> list[dict[str, Any]]:
    items = documents_of(rows)
    ids = {item["coverage_id"] for item in items if item["coverage_id"]}
    decided = listing.bodies(principal().company_id, sorted(ids))
    known = {row.id: row for row in rows}
    shown = []
    for item in items:
        row, (_, decision) = known[item["id"]], decided.get(item["coverage_id"], (0, None))
        if decision is not None:
            decision = decision | {"rules": decision["considered"], "basis": row.coverage_basis}
            del decision["considered"]
        shown.append(item | {"customer_id": row.customer_id, "coverage": decision})
    return shown


def _own_visits() -> list[Any]:
    who = principal()
    return [visits_of_technician(who.technician_id)] if who.role == "technician" else []


class TechnicianWithAddress(shown("technician")):  # type: ignore[misc]
    """A technician, with the address that they sign in with; null where they have no account in force."""

    email = fields.String(required=True, allow_none=True)

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        super().on_bind_field(field_name, field_obj)
        field_obj.required = field_obj.required or field_name == "email"


def _addresses(items: list[dict[str, Any]]) -> None:
    known = people.addresses_of(principal().company_id, [item["id"] for item in items])
    for item in items:
        item["email"] = known.get(item["id"])


RESOURCES: tuple[Resource, ...] = (
    Resource(
        path="/branches", model=Branch, schema=shown("branch"), roles=OFFICE,
        sorts=name_sorts(Branch, Branch.name), default_sort="name",
    ),
    Resource(
        path="/technicians", model=Technician, schema=TechnicianWithAddress, roles=OFFICE, beside=_addresses,
        sorts=name_sorts(Technician, Technician.name), default_sort="name",
        filters={
            "branch_id": Filter(form=ident(), condition=equals(Technician.branch_id)),
            "active": Filter(form=fields.Boolean(), condition=equals(Technician.active)),
            "q": Filter(form=text(), condition=contains(Technician.name)),
        },
    ),
    Resource(
        path="/customers", model=Customer, schema=shown("customer"), roles=OFFICE,
        sorts=name_sorts(Customer, Customer.name), default_sort="name",
        filters={
            "q": Filter(form=text(), condition=contains(Customer.name, Customer.external_ref)),
            "external_ref": Filter(form=text(), condition=equals(Customer.external_ref)),
        },
    ),
    Resource(
        path="/sites", model=Site, schema=shown("site"), roles=OFFICE,
        sorts=name_sorts(Site, Site.name), default_sort="name",
        filters={
            "branch_id": Filter(form=ident(), condition=equals(Site.branch_id)),
            "customer_id": Filter(form=ident(), condition=equals(Site.customer_id)),
            "external_ref": Filter(form=text(), condition=equals(Site.external_ref)),
            "q": Filter(form=text(), condition=contains(Site.name, Site.address, Site.city)),
        },
    ),
    Resource(
        path="/assets", model=Asset, schema=shown("asset"), roles=OFFICE,
        sorts={"serial": by(Asset.serial), "id": by(Asset.id), "installed_on": by(Asset.installed_on, FAR_DAY)},
        default_sort="serial",
        filters={
            "site_id": Filter(form=ident(), condition=equals(Asset.site_id)),
            "model_id": Filter(form=ident(), condition=equals(Asset.model_id)),
            "external_ref": Filter(form=text(), condition=equals(Asset.external_ref)),
            "in_service": Filter(form=fields.Boolean(), condition=equals(Asset.in_service)),
            "q": Filter(form=text(), condition=contains(Asset.serial, Asset.position)),
        },
    ),
    Resource(
        path="/product-models", model=ProductModel, schema=shown("product_model"), roles=OFFICE,
        sorts=name_sorts(ProductModel, ProductModel.name), default_sort="name",
    ),
    Resource(
        path="/service-kinds", model=ServiceKind, schema=shown("service_kind"), roles=OFFICE,
        sorts={"code": by(ServiceKind.code), "id": by(ServiceKind.id)}, default_sort="code",
        filters={"active": Filter(form=fields.Boolean(), condition=equals(ServiceKind.active))},
    ),
    Resource(
        path="/checklists", model=Checklist, schema=shown("checklist"), roles=OFFICE,
        sorts={"code": by(Checklist.code), "id": by(Checklist.id)}, default_sort="code",
    ),
    Resource(
        path="/visits", model=Visit, schema=shown("visit"), roles=(*OFFICE, "technician"), dump=_visits,
        sorts={
            "id": by(Visit.id), "number": by(Visit.number), "priority": by(Visit.priority),
            "planned_start": by(Visit.planned_start, FAR), "due_to": by(Visit.due_to, FAR_DAY),
        },
        default_sort="-id",
        restrict=_own_visits,
        filters={
            "date": Filter(form=Day(), condition=lambda date: visits_on(principal().company_id)(date)),
            "date_from": Filter(form=Instant(), condition=at_least(Visit.planned_start)),
            "date_to": Filter(form=Instant(), condition=at_most(Visit.planned_start)),
            "due_before": Filter(form=Day(), condition=at_most(Visit.due_from)),
            "branch_id": Filter(form=ident(), condition=visits_of_branch),
            "assignee_id": Filter(form=ident(), condition=equals(Visit.assignee_id)),
            "plan_state": Filter(form=text(20), condition=equals(Visit.plan_state)),
            "exec_state": Filter(form=text(20), condition=equals(Visit.exec_state)),
            "kind": Filter(form=text(60), condition=equals(Visit.kind)),
            "origin": Filter(form=text(20), condition=equals(Visit.origin)),
            "site_id": Filter(form=ident(), condition=equals(Visit.site_id)),
            "plan_id": Filter(form=ident(), condition=equals(Visit.plan_id)),
            "archived": Filter(form=fields.Boolean(), condition=equals(Visit.archived)),
            "q": Filter(form=text(), condition=contains(Visit.number, Visit.title)),
        },
    ),
    Resource(
        path="/maintenance-plans", model=MaintenancePlan, schema=PlanItem, roles=OFFICE,
        sorts={"name": by(MaintenancePlan.name), "id": by(MaintenancePlan.id)}, default_sort="id",
        filters={
            "asset_id": Filter(form=ident(), condition=equals(MaintenancePlan.asset_id)),
            "active": Filter(form=fields.Boolean(), condition=equals(MaintenancePlan.active)),
            "external_ref": Filter(form=text(), condition=equals(MaintenancePlan.external_ref)),
            "kind": Filter(form=text(60), condition=equals(MaintenancePlan.kind)),
        },
    ),
    Resource(
        path="/occurrences", model=Occurrence, schema=OccurrenceItem, roles=OFFICE, dump=_occurrences,
        sorts={"due_on": by(Occurrence.due_on), "id": by(Occurrence.id)}, default_sort="due_on",
        filters={
            "plan_id": Filter(form=ident(), condition=equals(Occurrence.plan_id)),
            "visit_id": Filter(form=ident(), condition=equals(Occurrence.visit_id)),
            "state": Filter(form=text(20), condition=equals(Occurrence.state)),
            "due_from": Filter(form=Day(), condition=at_least(Occurrence.due_on)),
            "due_to": Filter(form=Day(), condition=at_most(Occurrence.due_on)),
        },
    ),
    Resource(
        path="/contracts", model=Contract, schema=ContractSchema, roles=OFFICE,
        sorts={"number": by(Contract.number), "ends_on": by(Contract.ends_on), "id": by(Contract.id)},
        default_sort="number",
        filters={"customer_id": Filter(form=ident(), condition=equals(Contract.customer_id))},
    ),
    Resource(
        path="/warranty-terms", model=WarrantyTerm, schema=WarrantyTermSchema, roles=OFFICE,
        sorts={"code": by(WarrantyTerm.code), "id": by(WarrantyTerm.id)}, default_sort="code",
    ),
    Resource(
        path="/price-items", model=PriceItem, schema=PriceItemSchema, roles=OFFICE,
        sorts={"id": by(PriceItem.id), "valid_from": by(PriceItem.valid_from)}, default_sort="id",
        filters={
            "list_code": Filter(form=text(60), condition=equals(PriceItem.list_code)),
            "kind": Filter(form=text(60), condition=equals(PriceItem.kind)),
            "branch_id": Filter(form=ident(), condition=equals(PriceItem.branch_id)),
        },
    ),
    Resource(
        path="/devices", model=Device, schema=DeviceItem, roles=OFFICE, dump=_devices,
        sorts={"last_seen_at": by(Device.last_seen_at, FAR), "id": by(Device.id)}, default_sort="-last_seen_at",
        filters={"technician_id": Filter(form=ident(), condition=equals(Device.technician_id))},
    ),
    Resource(
        path="/mutations", model=Mutation, schema=JournalItem, roles=OFFICE,
        sorts={"received_at": by(Mutation.received_at), "id": by(Mutation.id)}, default_sort="-received_at",
        filters={
            "status": Filter(form=text(20), condition=equals(Mutation.status)),
            "device_id": Filter(form=ident(), condition=equals(Mutation.device_id)),
            "document_id": Filter(form=ident(), condition=equals(Mutation.document_id)),
        },
    ),
    Resource(
        path="/plans", model=RoutePlan, schema=RoutePlanItem, roles=OFFICE,
        sorts={"created_at": by(RoutePlan.created_at), "id": by(RoutePlan.id)}, default_sort="-created_at",
        filters={
            "state": Filter(form=text(20), condition=equals(RoutePlan.state)),
            "date": Filter(form=Day(), condition=equals(RoutePlan.date)),
            "branch_id": Filter(form=ident(), condition=equals(RoutePlan.branch_id)),
        },
    ),
)  # fmt: skip

ITEMS_ELSEWHERE = {"/plans"}
for _resource in RESOURCES:
    add_listing(blueprint, _resource, with_item=_resource.path not in ITEMS_ELSEWHERE)


def resource(path: str) -> Resource:
    """The resource of a path."""
    return next(one for one in RESOURCES if one.path == path)
