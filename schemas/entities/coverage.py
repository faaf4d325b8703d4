from __future__ import annotations

from marshmallow import fields

from schemas.entities.base import EntitySchema, derived


class CoverageSchema(EntitySchema):
    """Free or paid, and why: a decision with every rule that was looked at. Visits that are decided alike share one."""

    collection = "coverage"
    called_by = "outcome"
    fixed = True
    office_may_create = False

    outcome = derived(fields.String())
    reason = derived(fields.Raw())
    amount = derived(fields.String())
    currency = derived(fields.String())
    decided_for = derived(fields.String())
    lines = derived(fields.List(fields.Raw()))
    considered = derived(fields.List(fields.Raw()))
