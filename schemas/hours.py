"""Opening hours in the syntax of OpenStreetMap: `Mo-Fr 09:00-18:00; PH off`, told from nonsense."""

from __future__ import annotations

import re

_TIME = r"(?:(?:[0-3]?\d|4[0-7]):[0-5]\d|48:00|\(?(?:dawn|sunrise|sunset|dusk)(?:[+-]\d{1,2}:[0-5]\d)?\)?)"
_TIMES = rf"{_TIME}(?:\s*-\s*{_TIME}\+?(?:/\d{{1,2}}(?::[0-5]\d)?)?|\+)"
_NTH = r"(?:\s*\[-?[1-5](?:[,-]-?[1-5])*\])?"
_DAY = rf"(?:mo|tu|we|th|fr|sa|su|ph|sh){_NTH}"
_SHIFTED = r"(?:\s*[+-]\d{1,2} days?)?"
_DAYS = rf"{_DAY}(?:\s*-\s*{_DAY})?{_SHIFTED}"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DATE = rf"(?:(?:(?:19|20)\d\d\s+)?(?:{_MONTH}(?:\s+(?:[0-2]?\d|3[01])(?!\d|:\d))?|easter){_SHIFTED})"
_DATES = (
    rf"(?:{_DATE}(?:\s*-\s*(?:{_DATE}|[0-3]?\d(?!\d|:\d))|\+)?|(?:19|20)\d\d(?!\d|:\d)(?:\s*-\s*(?:19|20)\d\d|\+)?)"
)
_WEEKS = r"week\s+[0-5]?\d(?:\s*-\s*[0-5]?\d(?:/\d{1,2})?)?"
_PART = re.compile(
    rf"(?:24/7|(?:{_DATES}\s*:?\s*)?(?:{_WEEKS}\s*:?\s*)?(?:{_DAYS}\s*:?\s*)?(?:{_TIMES})?)"
    r'\s*(?:open|off|closed|unknown)?\s*(?:"[^"]*")?',
    re.IGNORECASE | re.ASCII,
)
"""What stands between two commas, semicolons or double bars. None of its pieces may match in two ways."""

_PARTS = re.compile(r'(?:\[[^\]]*\]|"[^"]*"|[^,;|"\[])+|\|\||[,;|"\[]')


def readable(text: str) -> bool:
    """Whether a text is opening hours: rules between `;` or `||`, each of days, times and a word, lists with commas."""
    expected = True
    for match in _PARTS.finditer(text.strip().rstrip(";")):
        token = match[0].strip()
        if token in (",", ";", "||"):
            if expected:
                return False
            expected = True
        elif not token:
            continue
        elif not expected or _PART.fullmatch(token) is None:
            return False
        else:
            expected = False
    return not expected
