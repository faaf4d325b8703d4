"""Reads the catalogues and puts numbers into sentences, with the plural forms of each language."""

from __future__ import annotations

import functools
import json
import re
import string
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

LOCALES = ("en", "ru")
FORMATS = {"en": "en_GB", "ru": "ru_RU"}
SHORT_DATE = {"en": "d MMM", "ru": "dd.MM"}
SPANS = {"en": ("h", "min", "d"), "ru": ("ч", "мин", "дн.")}
FOLDER = Path(__file__).parent


@functools.cache
def catalogue(area: str, locale: str) -> dict[str, Any]:
    """All texts of one area in one language: code -> sentence, or plural form -> sentence."""
    path = FOLDER / f"{area}.{locale}.json"
    texts: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return texts


def say(area: str, code: str, params: Mapping[str, Any] | None = None, locale: str = "en") -> str:
    """The sentence for a code in a language; a code without words comes out as itself, so that nothing is hidden."""
    params = params or {}
    text = catalogue(area, locale).get(code, code)
    if isinstance(text, dict):
        form = Locale(locale).plural_form(params.get("n", 0))
        text = text.get(form) or text["other"]
    shown = {name: _shown(value, locale) for name, value in params.items()}
    shown |= _money(params, locale)
    return string.Formatter().vformat(text, (), _Forgiving(shown))


def wall_time(at: datetime, zone: ZoneInfo, day: date | None) -> str | dict[str, str]:
    """The hour at a place, on another day than `day` with its date in each language: what a sentence is given."""
    local = at.astimezone(zone)
    hour = f"{local:%H:%M}"
    if day is None or local.date() == day:
        return hour
    return {name: f"{format_date(local.date(), form, locale=name)}, {hour}" for name, form in SHORT_DATE.items()}


def _span(minutes: int, locale: str) -> str:
    """How long: in minutes up to two hours, in hours up to two days, then in days."""
    hour, minute, day = SPANS[locale]
    if minutes < 120:
        return f"{minutes} {minute}"
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f"{round(minutes / 1440)} {day}"
    return f"{hours} {hour} {rest} {minute}" if rest and hours < 10 else f"{round(minutes / 60)} {hour}"


class _Forgiving(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def _money(params: Mapping[str, Any], locale: str) -> dict[str, str]:
    """`money`: an `amount` in its `currency` as the language writes it; what is no amount stays as it came."""
    amount, currency = params.get("amount"), params.get("currency")
    if amount is None or not isinstance(currency, str):
        return {}
    try:
        written = format_currency(Decimal(str(amount)), currency, locale=FORMATS[locale])
    except InvalidOperation:
        return {"money": f"{amount} {currency}"}
    # A currency without a sign keeps its distance: RUB 8,000.00.
    return {"money": re.sub("^([A-Z]{3})(?=[0-9])", "\\1\u202f", written.replace("\u00a0", "\u202f"))}


def _shown(value: Any, locale: str) -> str:
    if isinstance(value, dict) and set(value) == {"en", "ru"}:
        return str(value[locale])
    if isinstance(value, dict) and set(value) == {"minutes"}:
        return _span(value["minutes"], locale)
    if isinstance(value, str) and len(value) == 10 and value[4:5] == "-" and value[7:8] == "-":
        try:
            day = date.fromisoformat(value)
        except ValueError:
            return value
        return format_date(day, "d MMM y" if locale == "en" else "dd.MM.y", locale=locale)
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return format_decimal(value, locale=locale, decimal_quantization=False)
    if isinstance(value, list):
        return ", ".join(_shown(item, locale) for item in value)
    return str(value)
