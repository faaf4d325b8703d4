"""Door 1, HTTP: parse, call one action, answer. One blueprint for each resource."""

from __future__ import annotations

from server.api import (
    agreements,
    attachments,
    auth,
    board,
    conflicts,
    creating,
    devices,
    exchange,
    maintenance,
    plans,
    resources,
    rxdb,
    salvage,
    stream,
    sync,
    uploads,
    visits,
    watermelon,
    whole,
)
from server.api.body import Blueprint

BLUEPRINTS: tuple[Blueprint, ...] = (
    auth.blueprint,
    board.blueprint,
    plans.blueprint,
    visits.blueprint,
    creating.blueprint,
    agreements.blueprint,
    maintenance.blueprint,
    conflicts.blueprint,
    devices.blueprint,
    salvage.blueprint,
    exchange.office_blueprint,
    resources.blueprint,
    attachments.office_blueprint,
    stream.office_blueprint,
    sync.blueprint,
    stream.blueprint,
    whole.blueprint,
    uploads.blueprint,
    attachments.blueprint,
    exchange.blueprint,
    rxdb.blueprint,
    watermelon.blueprint,
)
"""All resources of the API, in the order of its description."""
