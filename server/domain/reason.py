"""Why something was decided: a code and the numbers behind it. The words live in the text catalogues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

Param = str | int


@dataclass(frozen=True)
class Reason:
    """A code and its parameters, ready to become a sentence in any language.

    Parameters are JSON primitives, so that a reason reads the same on the server and on a tablet:
    dates as ISO text, decimals as plain text, counts as `int`. A count that chooses a plural form is named `n`.
    `remedy`, if there is one, says what would change the decision.
    """

    code: str
    params: Mapping[str, Param] = field(default_factory=dict)
    remedy: Reason | None = None

    def __hash__(self) -> int:
        return hash((self.code, tuple(sorted(self.params.items(), key=repr)), self.remedy))

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"code": self.code, "params": dict(self.params)}
        if self.remedy is not None:
            document["remedy"] = self.remedy.to_json()
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Reason:
        remedy = document.get("remedy")
        return cls(document["code"], dict(document.get("params", {})), cls.from_json(remedy) if remedy else None)


def reason(code: str, /, **params: Param | date | Decimal) -> Reason:
    """A `Reason` whose dates and decimals have been turned into text."""
    return Reason(code, {name: _primitive(value) for name, value in params.items()})


def _primitive(value: Param | date | Decimal) -> Param:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value
