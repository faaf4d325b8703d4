"""All tables. Every table of a company's data has the company first in its primary key."""

from __future__ import annotations

from server.store.models.assets import Asset, Customer, MeterReading, Site
from server.store.models.catalogue import Checklist, Contract, PriceItem, ProductModel, ServiceKind, WarrantyTerm
from server.store.models.company import Branch, Company, LoginFailure, LoginSession, Technician, User
from server.store.models.coverage import Coverage
from server.store.models.devices import DeviceNotice, EnrolmentMiss, FormerToken, Salvage
from server.store.models.digest import DocumentDigest
from server.store.models.exchange import DeviceExchange, DeviceKey, OfficeKey
from server.store.models.files import FileReference, StoredFile, Upload
from server.store.models.jobs import JobLease, JobRun
from server.store.models.maintenance import MaintenancePlan, Occurrence, PlanLook, SiteCalendar
from server.store.models.planning import RoutePlan, RouteStop, RouteUnassigned
from server.store.models.retention import FeedMark, ScopeFloor, ScopePast
from server.store.models.stock import DeviceCopy, DeviceStamp, ViewPlace, WholeEdit
from server.store.models.sync import (
    Conflict,
    Device,
    DeviceScope,
    Document,
    DocumentVersion,
    EnrolmentCode,
    Mutation,
    ScopeFeed,
    ScopeReason,
    ScopeWindow,
    SyncClock,
)
from server.store.models.synced import Synced
from server.store.models.visits import Visit

SYNCED: dict[str, type[Synced]] = {
    model.collection: model
    for model in (Asset, Branch, Checklist, Coverage, Customer, ProductModel, ServiceKind, Site, Technician, Visit)
}
"""Collection name -> its model."""

__all__ = [
    "SYNCED", "Asset", "Branch", "Checklist", "Company", "Conflict", "Contract", "Coverage", "Customer", "Device",
    "DeviceCopy", "DeviceExchange", "DeviceKey", "DeviceNotice", "DeviceScope", "DeviceStamp", "Document",
    "DocumentDigest", "DocumentVersion", "EnrolmentCode", "EnrolmentMiss", "FeedMark", "FileReference", "FormerToken",
    "JobLease", "JobRun", "LoginFailure", "LoginSession", "MaintenancePlan", "MeterReading", "Mutation", "Occurrence",
    "OfficeKey", "PlanLook", "PriceItem", "ProductModel", "RoutePlan", "RouteStop", "RouteUnassigned", "Salvage",
    "ScopeFeed", "ScopeFloor", "ScopePast", "ScopeReason", "ScopeWindow", "ServiceKind", "Site", "SiteCalendar",
    "StoredFile", "SyncClock", "Synced", "Technician", "Upload", "User", "ViewPlace", "Visit", "WarrantyTerm",
    "WholeEdit",
]  # fmt: skip
