"""A list and its items as a resource: filters, sorting, keyset pages, one form for all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response, jsonify, request
from flask.views import MethodView
from marshmallow import RAISE, Schema, fields, validate

from server.api.body import Blueprint
from server.api.door import principal, requires
from server.api.openapi import refuses
from server.problems import Problem, not_found
from server.store import listing
from server.store.listing import BadListCursor, Sort
from server.store.models import Synced

Condition = Callable[[Any], Any]
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "description": "The ETag that is there already; unchanged answers 304.",
    "schema": {"type": "string"},
}
MOST = 200
LONGEST_CURSOR = 1500
"""A cursor holds the last item's name, at most 200 characters of up to 4 bytes."""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A query parameter: its form, and the condition that its value makes."""

    form: fields.Field[Any]
    condition: Condition


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What a list shows. `dump` turns rows into items; for synced models they are the documents themselves."""

    path: str
    model: Any
    schema: type[Schema]
    roles: tuple[str, ...]
    sorts: Mapping[str, Sort]
    default_sort: str
    filters: Mapping[str, Filter] = field(default_factory=dict)
    dump: Callable[[list[Any]], list[dict[str, Any]]] | None = None
    restrict: Callable[[], list[Any]] = list
    beside: Callable[[list[dict[str, Any]]], None] | None = None
    """Adds to the items what is not in their documents."""


def list_query(resource: Resource) -> type[Schema]:
    """The query parameters of a resource's list."""
    orders = [f"{sign}{name}" for name in resource.sorts for sign in ("", "-")]
    form: dict[str, fields.Field[Any]] = {name: one.form for name, one in resource.filters.items()}
    form["limit"] = fields.Integer(load_default=50, validate=validate.Range(1, MOST))
    form["cursor"] = fields.String(load_default=None, validate=validate.Length(max=LONGEST_CURSOR))
    form["sort"] = fields.String(load_default=resource.default_sort, validate=validate.OneOf(orders))
    base = type("QueryBase", (Schema,), {"Meta": type("Meta", (), {"unknown": RAISE, "register": False})})
    name = re.sub(r"\W", "", resource.path.title()) + "Query"
    return type(name, (base,), form)


def page_schema(resource: Resource) -> type[Schema]:
    """The answer of a resource's list."""
    name = re.sub(r"\W", "", resource.path.title()) + "Page"
    return type(
        name,
        (Schema,),
        {
            "items": fields.List(fields.Nested(resource.schema), required=True),
            "next_cursor": fields.String(required=True, allow_none=True),
        },
    )


def add_listing(blueprint: Blueprint, resource: Resource, *, with_item: bool = True) -> None:
    """Add `GET <path>`, and `GET <path>/<id>` unless it is written elsewhere, of a resource to a blueprint."""

    class ListView(MethodView):
        @requires(*resource.roles)
        @blueprint.arguments(list_query(resource), location="query")
        @refuses(400, "bad-cursor")
        @blueprint.response(200, page_schema(resource))
        def get(self, query: dict[str, Any]) -> Response:
            conditions = resource.restrict() + [
                one.condition(query[name]) for name, one in resource.filters.items() if query.get(name) is not None
            ]
            try:
                page = listing.page(
                    resource.model,
                    principal().company_id,
                    conditions,
                    resource.sorts,
                    query["sort"],
                    query["cursor"],
                    query["limit"],
                )
            except BadListCursor as error:
                raise Problem(400, "bad-cursor", field="cursor") from error
            return jsonify({"items": dump_rows(resource, page.rows), "next_cursor": page.next_cursor})

    class ItemView(MethodView):
        @requires(*resource.roles)
        @blueprint.doc(parameters=[IF_NONE_MATCH], responses={"304": {"description": "Not Modified"}})
        @blueprint.response(200, resource.schema)
        def get(self, item_id: Any) -> Response:
            return one_item(resource, str(item_id))

    noun = resource.path.strip("/").replace("/", " ").replace("-", " ")
    ListView.get.__doc__ = f"A page of {noun}."
    ItemView.get.__doc__ = f"One of the {noun}."
    endpoint = resource.path.strip("/").replace("/", "_").replace("-", "_")
    blueprint.route(resource.path, endpoint=f"{endpoint}_list")(ListView)
    if with_item:
        blueprint.route(f"{resource.path}/<uuid:item_id>", endpoint=f"{endpoint}_item")(ItemView)


def one_item(resource: Resource, item_id: str) -> Response:
    """The answer for one item with its version as ETag; raises Problem `not-found`."""
    conditions = [*resource.restrict(), resource.model.id == item_id]
    page = listing.page(
        resource.model, principal().company_id, conditions, {"id": Sort(column=resource.model.id)}, "id", None, 1
    )
    items = dump_rows(resource, page.rows)
    if not items:
        raise not_found()
    response = jsonify(items[0])
    if "version" in items[0]:
        response.set_etag(str(items[0]["version"]))
        response.make_conditional(request)
    return response


def dump_rows(resource: Resource, rows: list[Any]) -> list[dict[str, Any]]:
    """Rows as items of the API."""
    if resource.dump is not None:
        return resource.dump(rows)
    if rows and isinstance(rows[0], Synced):
        found = documents_of(rows)
        if resource.beside is not None:
            resource.beside(found)
        return found
    return [dict(resource.schema().dump(row)) for row in rows]


def documents_of(rows: list[Any]) -> list[dict[str, Any]]:
    """The documents of rows of a synced model, whole, each with its version."""
    found = listing.bodies(principal().company_id, [row.id for row in rows])
    return [found[row.id][1] | {"version": found[row.id][0]} for row in rows if row.id in found]
