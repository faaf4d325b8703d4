"""A history as a space-time picture (SVG): one line down for each who takes part, one row for each thing that happens.

Requests and answers are arrows between a tablet and the server; one that is lost ends in a cross on its way. What
breaks a law is red, where it was seen and in words below.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from sync.simulator.fleet import Report
from sync.simulator.history import Event

LEFT, TOP, LANE, ROW = 90, 92, 220, 26
"""Pixels: room for the times, room for the names, between two lines, between two rows."""

MOST_ROWS = 400
"""A history that is longer is cut, and the picture says so."""

INK, PALE, RED, GREEN, BLUE = "#1d2733", "#aab4bf", "#c62828", "#2e7d32", "#1565c0"

STYLE = (
    "text{font:12px ui-sans-serif,system-ui,sans-serif;fill:#1d2733}.name{font-weight:600}.time{fill:#5b6773}"
    ".law{fill:#c62828;font-weight:600}"
)


@dataclass
class _Request:
    """One request: the row in which it left, and where it has got to."""

    seat: str
    what: str
    sent: int
    served: int | None = None
    status: int = 0


@dataclass
class _Drawing:
    lanes: dict[str, int]
    parts: list[str] = field(default_factory=list)

    def x(self, lane: str) -> int:
        return LEFT + LANE // 2 + LANE * self.lanes[lane]

    def y(self, row: float) -> float:
        return TOP + ROW * (row + 1)

    def line(self, a: tuple[float, float], b: tuple[float, float], color: str, *, arrow: bool = True) -> None:
        end = ' marker-end="url(#head)"' if arrow else ""
        self.parts.append(
            f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" stroke="{color}" '
            f'stroke-width="1.5"{end}/>'
        )

    def text(self, x: float, y: float, words: str, *, style: str = "", anchor: str = "start") -> None:
        name = f' class="{style}"' if style else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{name}>{escape(words)}</text>')

    def dot(self, x: float, y: float, color: str, radius: float = 4) -> None:
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{color}"/>')

    def cross(self, x: float, y: float, color: str) -> None:
        self.line((x - 5, y - 5), (x + 5, y + 5), color, arrow=False)
        self.line((x - 5, y + 5), (x + 5, y - 5), color, arrow=False)


def picture(report: Report) -> str:
    """The history of a fleet as one SVG document, from its first operation on."""
    events = list(_wanted(report.history.events))
    cut = len(events) - MOST_ROWS
    events = events[:MOST_ROWS]
    drawing = _Drawing(lanes=_lanes(events))
    marked = {violation.event: violation for violation in reversed(report.violations) if violation.event >= 0}
    requests: dict[int, _Request] = {}
    for row, event in enumerate(events):
        _draw(drawing, row, event, requests)
        if event.i in marked:
            drawing.parts.append(
                f'<circle cx="{drawing.x(event.actor):.1f}" cy="{drawing.y(row):.1f}" r="10" fill="none" '
                f'stroke="{RED}" stroke-width="2.5"/>'
            )
        if row == 0 or events[row - 1].at != event.at:
            drawing.text(LEFT - 14, drawing.y(row) + 4, f"{event.at:.2f} s", style="time", anchor="end")
    return _page(drawing, report, len(events), cut)


def _wanted(events: Iterable[Event]) -> Iterable[Event]:
    """What is drawn: no more than what people and machines did from the first operation on."""
    begun = False
    for event in events:
        begun = begun or event.operation >= 0 or event.kind == "quiet"
        if begun and event.kind not in ("saved", "result"):
            yield event


def _lanes(events: Iterable[Event]) -> dict[str, int]:
    """Who takes part: the office and its machines, the server, the tablets."""
    names = {event.actor for event in events} - {"fleet"} | {"server"}
    order = ("office", "scheduler", "planner", "operator", "server")
    known = [name for name in order if name in names]
    return {name: n for n, name in enumerate([*known, *sorted(names - {*order})])}


def _draw(drawing: _Drawing, row: int, event: Event, requests: dict[int, _Request]) -> None:
    if event.kind == "quiet":
        right = LEFT + LANE * len(drawing.lanes)
        drawing.line((LEFT, drawing.y(row)), (right, drawing.y(row)), PALE, arrow=False)
        drawing.text(LEFT + 6, drawing.y(row) - 4, "the faults have ended", style="time")
        return
    what, x, y = event.what, drawing.x(event.actor), drawing.y(row)
    if event.kind == "send":
        requests[what["request"]] = _Request(seat=event.actor, what=_asked(event), sent=row)
        drawing.dot(x, y, BLUE, 2.5)
        drawing.text(x + 9, y + 4, _asked(event))
    elif event.kind == "serve":
        _served(drawing, row, event, requests)
    elif event.kind == "answer":
        request = requests.get(what["request"])
        if request is not None and request.served is not None:
            drawing.line(
                (drawing.x("server"), drawing.y(request.served)), (x, y), GREEN if what["status"] < 400 else RED
            )
    elif event.kind == "lost":
        _lost(drawing, row, event, requests)
    else:
        color, words = _said(event)
        if event.kind == "down":
            drawing.cross(x, y, color)
        else:
            drawing.dot(x, y, color)
        drawing.text(x + 9, y + 4, words)


def _served(drawing: _Drawing, row: int, event: Event, requests: dict[int, _Request]) -> None:
    request = requests.setdefault(
        event.what["request"], _Request(seat=event.actor, what="", sent=row, status=event.what["status"])
    )
    x, y = drawing.x("server"), drawing.y(row)
    drawing.line((drawing.x(event.actor), drawing.y(request.sent)), (x, y), BLUE)
    request.served = row
    drawing.text(x - 9, y + 4, _answered(event), anchor="end")


def _lost(drawing: _Drawing, row: int, event: Event, requests: dict[int, _Request]) -> None:
    request = requests.get(event.what["request"])
    tablet, server, y = drawing.x(event.actor), drawing.x("server"), drawing.y(row)
    half = (tablet + server) / 2
    if request is not None and request.served is not None:
        drawing.line((server, drawing.y(request.served)), (half, y), RED, arrow=False)
    else:
        drawing.line((tablet, drawing.y(request.sent if request else row)), (half, y), RED, arrow=False)
    drawing.cross(half, y, RED)
    drawing.text(half + 9, y + 4, f"{event.what['how']} lost" if event.what["how"] != "late" else "comes late")


def _asked(event: Event) -> str:
    ids, path = event.what["ids"], event.what["path"].partition("?")[0].rpartition("/")[2]
    return f"{path} {', '.join(each[:6] for each in ids[:4])}{' …' if len(ids) > 4 else ''}".rstrip()


def _answered(event: Event) -> str:
    body, status = event.what["body"], event.what["status"]
    if status >= 400:
        return f"{status} {body.get('code', '')}"
    if "results" in body:
        told = [f"{str(one['id'])[:6]} {one['status']}" for one in body["results"][:3]]
        return ", ".join(told) + (" …" if len(body["results"]) > 3 else "")
    if "changes" in body:
        return f"{len(body['changes'])} changes{', more' if body['more'] else ''}"
    return str(status)


def _said(event: Event) -> tuple[str, str]:
    """Colour and words of an event that is no request."""
    what = event.what
    if event.kind == "edit":
        mutation = what["mutation"]
        parts = ", ".join(
            [*mutation["set"], *(f"+{name}" for name in mutation["add"]), *(f"−{n}" for n in mutation["remove"])]
        )
        return INK, f"{mutation['id'][:6]}: {mutation['op']} {mutation['collection']} {parts}"
    if event.kind == "act":
        named = what["what"].get("collection") or what["name"]
        fields = ", ".join(f"{name}" for name in what["what"].get("values", {}))
        return INK, f"{what['name']} {named if named != what['name'] else ''} {fields} {what['code']}".strip()
    if event.kind == "page":
        return INK, "has read to the end" if what["whole"] else "has read a page"
    words = {
        "down": "power cut" if what.get("power") else "killed",
        "up": "up again",
        "begin-anew": "begins anew",
        "forgot": f"lost {len(what.get('ids', ()))} of its store",
        "refused": f"refused: {what.get('code')}",
        "clock": f"clock is off by {what.get('offset_s')} s",
    }
    return (RED if event.kind in ("down", "restore", "forgot") else INK), words.get(event.kind, event.kind)


def _page(drawing: _Drawing, report: Report, rows: int, cut: int) -> str:
    width = max(LEFT + LANE * len(drawing.lanes) + 40, 900)
    foot = TOP + ROW * (rows + 2)
    height = foot + ROW * (min(len(report.violations), 12) + 2)
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0 8 4 0 8z" fill="context-stroke"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    frame = _Drawing(lanes=drawing.lanes)
    script = report.script
    frame.text(16, 26, f"Seed {script.seed}: {len(script.operations)} operations, faults {', '.join(script.faults)}")
    for name in drawing.lanes:
        frame.text(frame.x(name), TOP - 12, name, style="name", anchor="middle")
        frame.line((frame.x(name), TOP), (frame.x(name), TOP + ROW * (rows + 1)), PALE, arrow=False)
    if cut > 0:
        frame.text(16, foot, f"… and {cut} more events")
    for n, violation in enumerate(report.violations[:12]):
        frame.text(16, foot + ROW * (n + 1), str(violation), style="law")
    return "\n".join([*head, *frame.parts, *drawing.parts, "</svg>", ""])
