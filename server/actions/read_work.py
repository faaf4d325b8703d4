"""What was done on site, as the office judges it: answers by item, readings, findings, times, files, who signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from server.actions.file_states import describe
from server.actions.finding_words import finding_text
from server.actions.follow_up import suggest
from server.problems import not_found
from server.store.models import Asset, Checklist, ProductModel, Visit
from server.store.queries import office, visits
from server.store.transaction import snapshot
from server.text import say
from sync.states import in_order, moment, standing

Item = dict[str, Any]


def read_work(company_id: str, visit_id: str, *, locale: str) -> Item:
    """The work of a visit in the reader's language; raises Problem `not-found`.

    `checks` are the checklist's items in its order, each with the answer that counts (the last by time) and what it
    says: `ok`, `not_ok`, `in`, `above`, `below` (with the distance `off`), `skipped`, `said`, `open`. Answers to items
    that the checklist no longer has come after them. Times are corrected ones; `raw` is what the tablet's clock said
    where that differs.
    """
    with snapshot():
        visit = visits.visit(company_id, visit_id)
        if visit is None:
            raise not_found()
        return _Work.of(company_id, visit, locale).told()


@dataclass(frozen=True, kw_only=True)
class _Work:
    """A visit with what its entries speak of."""

    company_id: str
    visit: Visit
    checklist: Checklist | None
    assets: dict[str, Asset]
    models: dict[str, ProductModel]
    locale: str

    @classmethod
    def of(cls, company_id: str, visit: Visit, locale: str) -> _Work:
        named = {entry["asset_id"] for entry in (*visit.readings, *visit.findings) if entry.get("asset_id")}
        assets = {one.id: one for one in visits.assets(company_id, named | set(visit.asset_ids))}
        return cls(
            company_id=company_id,
            visit=visit,
            checklist=office.checklist(company_id, visit.checklist_id) if visit.checklist_id else None,
            assets=assets,
            models={one.id: one for one in office.models(company_id, {asset.model_id for asset in assets.values()})},
            locale=locale,
        )

    def told(self) -> Item:
        visit = self.visit
        follow_up = suggest(self.company_id, visit)
        return {
            "id": visit.id,
            "exec_state": visit.exec_state,
            "performed_by": next(
                (event.get("by_name") for event in visit.events if event.get("by") == visit.performed_by_id), None
            ),
            "flags": [{"code": flag, "text": say("work", f"flag.{flag}", {}, self.locale)} for flag in visit.flags],
            "events": self._events(),
            "checklist": self.checklist.title[self.locale] if self.checklist else None,
            "checks": self._checks(),
            "readings": [self._reading(entry) for entry in in_order(visit.readings)],
            "findings": [self._finding(entry) for entry in standing(visit.findings)],
            "notes": [{"text": entry["text"]} | _when(entry) for entry in in_order(visit.notes)],
            "summary": visit.work_summary,
            "signature": visit.signature and {
                "name": visit.signature["name"], "strokes": visit.signature["strokes"]
            } | _when(visit.signature),
            "files": describe(self.company_id, visit, self.locale),
            "follow_up": follow_up.told(self.locale, self._items()) if follow_up else None,
        }  # fmt: skip

    def _items(self) -> list[Item]:
        return list(self.checklist.items) if self.checklist else []

    def _events(self) -> list[Item]:
        ordered = in_order(self.visit.events)
        undone = {event.get("undoes") for event in ordered if event["type"] == "undo"}
        return [
            {
                "type": event["type"],
                "text": say("work", f"event.{event['type']}", {}, self.locale),
                "reason": event.get("reason"),
                "undone": event["id"] in undone,
            }
            | _when(event)
            for event in ordered
            if event["type"] != "undo"
        ]

    def _checks(self) -> list[Item]:
        answered: dict[str, list[Item]] = {}
        for entry in in_order(self.visit.answers):
            answered.setdefault(entry["item"], []).append(entry)
        photos = {entry.get("item") for entry in self.visit.attachments}
        items = list(self.checklist.items) if self.checklist else []
        known = {item["key"] for item in items}
        items += [{"key": key, "kind": "text", "text": None} for key in answered if key not in known]
        checks = []
        for item in items:
            given = answered.get(item["key"], [])
            verdict, off = _verdict(item, given[-1] if given else None, item["key"] in photos)
            checks.append(
                {
                    "key": item["key"],
                    "kind": item["kind"],
                    "text": item["text"][self.locale] if item["text"] else item["key"],
                    "unit": item.get("unit"),
                    "min": item.get("min"),
                    "max": item.get("max"),
                    "mandatory": bool(item.get("mandatory")),
                    "verdict": verdict,
                    "off": off,
                    "value": given[-1]["value"] if given else None,
                    "note": given[-1].get("note") if given else None,
                    "earlier": [{"value": one["value"], "note": one.get("note")} | _when(one) for one in given[:-1]],
                }
                | (_when(given[-1]) if given else {"at": None, "raw": None, "by_name": None})
            )
        return checks

    def _machine(self, asset_id: str | None) -> str | None:
        asset = self.assets.get(asset_id or "")
        if asset is None:
            return None
        model = self.models.get(asset.model_id)
        return " · ".join(filter(None, (model.name if model else None, asset.serial)))

    def _reading(self, entry: Item) -> Item:
        asset = self.assets.get(entry["asset_id"])
        model = self.models.get(asset.model_id) if asset else None
        meter = next((one for one in (model.meters if model else ()) if one["code"] == entry["meter"]), None)
        return {
            "meter": meter["name"][self.locale] if meter else entry["meter"],
            "value": entry["value"],
            "unit": entry.get("unit") or (meter["unit"] if meter else None),
            "machine": self._machine(entry["asset_id"]),
        } | _when(entry)

    def _finding(self, entry: Item) -> Item:
        items = {item["key"]: item["text"][self.locale] for item in self.checklist.items} if self.checklist else {}
        return {
            "severity": entry["severity"],
            "severity_text": say("work", f"severity.{entry['severity']}", {}, self.locale),
            "cause": say("cause", entry["cause"], {}, self.locale) if entry.get("cause") else None,
            "text": finding_text(entry["text"], entry.get("item"), self._items(), self.locale),
            "item": items.get(entry.get("item") or ""),
            "machine": self._machine(entry.get("asset_id")),
        } | _when(entry)


def _verdict(item: Item, answer: Item | None, has_photo: bool) -> tuple[str, float | None]:
    """What an answer says of its item, and how far outside of the limits a value is."""
    if answer is None:
        return ("said", None) if item["kind"] == "photo" and has_photo else ("open", None)
    value = answer["value"]
    if value is None:
        return "skipped", None
    if isinstance(value, bool):
        return ("ok" if value else "not_ok"), None
    if isinstance(value, int | float) and (item.get("min") is not None or item.get("max") is not None):
        low, high = item.get("min"), item.get("max")
        if high is not None and value > high:
            return "above", round(value - high, 6)
        if low is not None and value < low:
            return "below", round(low - value, 6)
        return "in", None
    return "said", None


def _when(entry: Item) -> Item:
    """When an entry was made, by whom, and what its tablet's clock said if that is another time."""
    at = moment(entry)
    return {"at": at, "raw": entry["at"] if entry["at"] != at else None, "by_name": entry.get("by_name")}
