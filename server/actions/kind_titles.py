"""What a visit is called to its reader: a title that is the name of its kind is said in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server.store.models import Visit
from server.store.queries import office


@dataclass(frozen=True, kw_only=True)
class Titles:
    """Names of the kinds of work by code, in each language."""

    names: Mapping[str, Mapping[str, str]]
    locale: str

    def of(self, visit: Visit) -> str:
        """A title that somebody has written stays as it was written."""
        return self.said(visit.kind, visit.title)

    def said(self, kind: str, title: str) -> str:
        names = self.names.get(kind, {})
        return names.get(self.locale, title) if title in names.values() else title


def titles(company_id: str, locale: str) -> Titles:
    """Titles for a reader, read once for all visits that are shown."""
    return Titles(names=office.kind_names(company_id), locale=locale)
