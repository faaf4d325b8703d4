"""What a real database holds, read into the values that the checkers judge; and tablets that show whole documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from schemas.entities import COLLECTIONS
from schemas.entities.base import EntitySchema
from server.extensions import db
from server.store.models import (
    Company,
    Conflict,
    Device,
    DeviceScope,
    Document,
    DocumentVersion,
    Mutation,
    Salvage,
    ScopeFeed,
    ScopeReason,
    SyncClock,
)
from sync.change import Body, FieldRule, Json
from sync.client import Replica
from sync.simulator import facts


class Collection:
    """A real collection as the checkers know one; bodies come whole."""

    def __init__(self, schema: EntitySchema) -> None:
        self.schema = schema

    @property
    def rules(self) -> Mapping[str, FieldRule]:
        return self.schema.rules

    def references(self, body: Body) -> frozenset[str]:
        return self.schema.references(body)

    def scopes(self, body: Body) -> frozenset[str]:
        return self.schema.scopes(body)

    def why_left(self, body: Body) -> str:
        return self.schema.why_left(body)


ENTITIES: dict[str, facts.Entity] = {name: Collection(schema) for name, schema in COLLECTIONS.items()}


def whole(collection: str, body: Body) -> Body:
    """A body as it is stored or sent, with the fields that it does not name (S-17)."""
    return COLLECTIONS[collection].whole(body)


class WholeReplica(Replica):
    """The reference client of an app that shows every field."""

    def _put(self, change: Mapping[str, Json]) -> None:
        super()._put(change)
        held = self.state.documents[change["id"]]
        held["document"] = whole(held["collection"], held["document"])


def read_truth(company_id: str, known: facts.Truth | None = None) -> facts.Truth:
    """The committed documents now, or what is `known` when nothing was committed since; in an application context."""
    company = db.session.execute(select(Company.epoch).where(Company.id == company_id)).one()
    newest = db.session.execute(select(SyncClock.n).where(SyncClock.company_id == company_id)).scalar_one()
    if known is not None and (known.epoch, known.newest) == (company.epoch, newest):
        return known
    rows = db.session.execute(
        select(
            Document.id, Document.collection, Document.version, Document.body, Document.refs, Document.deleted
        ).where(Document.company_id == company_id)
    )
    documents = {
        row.id: facts.Document(
            collection=row.collection,
            id=row.id,
            version=row.version,
            body=whole(row.collection, json.loads(row.body)),
            field_versions={},
            refs=frozenset(json.loads(row.refs)),
            deleted=row.deleted,
        )
        for row in rows
    }
    held: dict[str, list[facts.Subscription]] = {}
    for one in db.session.execute(
        select(DeviceScope.device_id, DeviceScope.scope, DeviceScope.granted, DeviceScope.revoked).where(
            DeviceScope.company_id == company_id
        )
    ):
        held.setdefault(one.device_id, []).append(
            facts.Subscription(scope=one.scope, granted=one.granted, revoked=one.revoked)
        )
    return facts.Truth(
        epoch=company.epoch,
        newest=newest,
        documents=documents,
        subscriptions={device: tuple(some) for device, some in held.items()},
    )


def read_facts(company_id: str) -> facts.Facts:
    """All that is committed now; inside an application context."""
    truth = read_truth(company_id)
    return facts.Facts(
        truth=truth,
        versions=_versions(company_id, truth),
        feed=_feed(company_id),
        reasons=_reasons(company_id),
        journal=_journal(company_id),
        conflicts=_conflicts(company_id),
        devices=_devices(company_id),
        salvage=_salvage(company_id),
    )


def _versions(company_id: str, truth: facts.Truth) -> dict[str, tuple[facts.Version, ...]]:
    table = DocumentVersion
    rows = db.session.execute(
        select(table.document_id, table.version, table.body, table.changed, table.device_id, table.at)
        .where(table.company_id == company_id)
        .order_by(table.document_id, table.version)
    )
    found: dict[str, list[facts.Version]] = {}
    for row in rows:
        document = truth.documents.get(row.document_id)
        body = json.loads(row.body)
        found.setdefault(row.document_id, []).append(
            facts.Version(
                version=row.version,
                body=whole(document.collection, body) if document else body,
                changed=frozenset(json.loads(row.changed)),
                device_id=row.device_id,
                at=_utc(row.at),
            )
        )
    return {document_id: tuple(lines) for document_id, lines in found.items()}


def _feed(company_id: str) -> tuple[facts.FeedRow, ...]:
    table = ScopeFeed
    rows = db.session.execute(
        select(table.scope, table.document_id, table.seq, table.live, table.reason).where(
            table.company_id == company_id
        )
    )
    return tuple(
        facts.FeedRow(scope=row.scope, document_id=row.document_id, seq=row.seq, live=row.live, reason=row.reason)
        for row in rows
    )


def _reasons(company_id: str) -> dict[str, frozenset[tuple[str, str]]]:
    table = ScopeReason
    found: dict[str, set[tuple[str, str]]] = {}
    for row in db.session.execute(
        select(table.document_id, table.scope, table.via).where(table.company_id == company_id)
    ):
        found.setdefault(row.document_id, set()).add((row.scope, row.via))
    return {document_id: frozenset(held) for document_id, held in found.items()}


def _journal(company_id: str) -> dict[str, facts.Journal]:
    holders = {device.id: device.technician_id for device in _devices(company_id).values()}
    rows = db.session.execute(
        select(
            Mutation.id, Mutation.device_id, Mutation.n, Mutation.collection, Mutation.document_id, Mutation.payload,
            Mutation.status, Mutation.result, Mutation.received_at, Mutation.made_at_corrected,
        ).where(Mutation.company_id == company_id)
    )  # fmt: skip
    return {
        row.id: facts.Journal(
            id=row.id,
            device_id=row.device_id,
            n=row.n,
            collection=row.collection,
            document_id=row.document_id,
            payload=row.payload,
            status=row.status,
            result=row.result,
            received_at=_utc(row.received_at),
            author_id=holders.get(row.device_id),
            made_at=_utc(row.made_at_corrected) if row.made_at_corrected else None,
        )
        for row in rows
    }


def _conflicts(company_id: str) -> tuple[facts.Conflict, ...]:
    rows = db.session.scalars(select(Conflict).where(Conflict.company_id == company_id).order_by(Conflict.id))
    return tuple(
        facts.Conflict(
            id=row.id,
            mutation_id=row.mutation_id,
            device_id=row.device_id,
            collection=row.collection,
            document_id=row.document_id,
            field=row.field,
            kind=row.kind,
            code=row.reason["code"] if row.reason and row.kind in ("late", "state") else row.policy,
            base=row.base,
            mine=row.mine,
            theirs=row.theirs,
            chosen=row.chosen,
            value=row.value,
            state=row.state,
        )
        for row in rows
    )


def _devices(company_id: str) -> dict[str, facts.Device]:
    rows = db.session.execute(
        select(Device.id, Device.technician_id, Device.revoked_at, Device.schema_version).where(
            Device.company_id == company_id
        )
    )
    return {
        row.id: facts.Device(
            id=row.id,
            technician_id=row.technician_id,
            token="",
            revoked=row.revoked_at is not None,
            schema_version=row.schema_version,
        )
        for row in rows
    }


def _salvage(company_id: str) -> dict[str, str]:
    """The mutations that tablets sent after the end of their access, unread."""
    found: dict[str, str] = {}
    for row in db.session.scalars(select(Salvage).where(Salvage.company_id == company_id)):
        found |= dict.fromkeys(_ids(row), row.device_id)
    return found


def _ids(row: Any) -> list[str]:
    sent = json.loads(row.body)
    return [str(one.get("id")) for one in sent.get("mutations", []) if isinstance(one, dict)]


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
