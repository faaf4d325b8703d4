"""The days on which a site works, as the office writes them."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from schemas.maintenance import SiteCalendarSchema
from server.domain.maintenance import SiteDays
from server.domain.maintenance.site_days import known_country
from server.extensions import db
from server.problems import FieldError, Problem, invalid, not_found
from server.store.models import Site, SiteCalendar
from server.store.queries import maintenance as queries
from server.store.transaction import transactional


def read_calendar(company_id: str, site_id: str) -> dict[str, Any]:
    """A site's calendar; one that was never written works on each day. Raises Problem `not-found`."""
    if db.session.get(Site, (company_id, site_id)) is None:
        raise not_found()
    found = queries.site_calendar(company_id, site_id)
    return SiteDays.from_json(found.days).to_json() if found else SiteDays().to_json()


@transactional
def write_calendar(company_id: str, site_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """Replace a site's calendar. Raises Problem: `not-found`, `invalid-fields`."""
    if db.session.get(Site, (company_id, site_id), with_for_update=True) is None:
        raise not_found()
    try:
        loaded = SiteCalendarSchema().load(values)
    except ValidationError as error:
        raise invalid(error.normalized_messages()) from error
    country = loaded["country"]
    if country is not None and not known_country(country, loaded["region"]):
        why = FieldError(field="country", code="country-unknown", params={"country": country}, area="plan")
        raise Problem(422, "invalid-fields", errors=(why,))
    days = SiteDays.from_json(loaded | {"open": [each.isoformat() for each in loaded["open"]]}).to_json()
    found = queries.site_calendar(company_id, site_id)
    if found is None:
        db.session.add(SiteCalendar(company_id=company_id, site_id=site_id, days=days))
    else:
        found.days = days
    db.session.flush()
    return days
