"""Tablets, from the office: enrolment codes and revocation."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request
from flask.views import MethodView
from marshmallow import Schema, fields

from schemas.entities.base import iso
from schemas.office import DeviceItem, EnrolmentCodeRequest, FleetItem
from server.actions.device_notices import close_notice
from server.actions.end_device import revoke
from server.actions.enrol_device import make_code
from server.actions.read_fleet import read_fleet
from server.api.body import Blueprint
from server.api.door import OFFICE, locale, now, principal, requires
from server.api.listing import one_item
from server.api.openapi import refuses
from server.api.resources import resource
from server.store.queries import jobs

blueprint = Blueprint("devices", __name__, url_prefix="/api/v1", description="Tablets")


class EnrolmentCodeSchema(Schema):
    """A code that works once; the QR code holds the address that fills it in."""

    code = fields.String(required=True)
    expires_at = fields.String(required=True)
    url = fields.String(required=True)
    qr_svg = fields.String(required=True)


@blueprint.route("/devices/enrolment-codes")
class CodesView(MethodView):
    @requires(*OFFICE)
    @blueprint.arguments(EnrolmentCodeRequest)
    @refuses(404, "not-found")
    @blueprint.response(201, EnrolmentCodeSchema)
    def post(self, body: dict[str, str]) -> dict[str, Any]:
        """A new enrolment code for a technician."""
        import segno

        who = principal()
        made = make_code(who.company_id, body["technician_id"], user_id=who.user_id, now=now())
        url = f"{request.host_url}tablet/#code={made.qr}"
        return {
            "code": made.code,
            "expires_at": iso(made.expires_at),
            "url": url,
            "qr_svg": segno.make(url, error="m").svg_inline(scale=5, dark="#1a1d1e"),
        }


@blueprint.route("/devices/<uuid:device_id>/revoke")
class RevokeView(MethodView):
    @requires(*OFFICE)
    @blueprint.response(200, DeviceItem)
    def post(self, device_id: Any) -> Response:
        """End a tablet's access."""
        who = principal()
        revoke(who.company_id, str(device_id), now=now(), user_id=who.user_id)
        return one_item(resource("/devices"), str(device_id))


@blueprint.route("/devices/notices/<uuid:notice_id>/close")
class CloseNoticeView(MethodView):
    @requires(*OFFICE)
    @blueprint.response(204)
    def post(self, notice_id: Any) -> Response:
        """Somebody has seen to a notice; what is seen again opens another one."""
        who = principal()
        close_notice(who.company_id, str(notice_id), user_id=who.user_id, now=now())
        return Response(status=204)


@blueprint.route("/fleet")
class FleetView(MethodView):
    @requires(*OFFICE)
    @blueprint.response(200, FleetItem)
    def get(self) -> dict[str, Any]:
        """All tablets in a few figures, and what the last backup covers."""
        return read_fleet(principal().company_id, now(), locale())


def _own(report: dict[str, Any]) -> dict[str, Any]:
    """A run's report without what it says of other companies of the installation."""
    mine = principal().company_id
    companies = {name: told for name, told in report.get("companies", {}).items() if name == mine}
    errors = [each for each in report.get("errors", ()) if isinstance(each, dict) and each.get("company_id") == mine]
    return {name: told for name, told in report.items() if name == "seconds"} | {
        "companies": companies,
        "errors": errors,
    }


class JobRuns(Schema):
    """What the scheduler did."""

    items = fields.List(fields.Dict(), required=True)


@blueprint.route("/jobs/runs")
class JobRunsView(MethodView):
    @requires("manager", "admin")
    @blueprint.response(200, JobRuns)
    def get(self) -> Response:
        """The latest runs of all jobs, newest first."""
        return jsonify(
            {
                "items": [
                    {
                        "id": run.id,
                        "job": run.job,
                        "slot": run.slot,
                        "state": run.state,
                        "started_at": iso(run.started_at),
                        "finished_at": iso(run.finished_at) if run.finished_at else None,
                        "report": _own(run.report),
                    }
                    for run in jobs.latest(100)
                ]
            }
        )
