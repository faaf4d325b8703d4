"""What a finding says: words that the tablet made of a checklist's item are said in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def finding_text(text: str, item_key: str | None, items: Iterable[dict[str, Any]], locale: str) -> str:
    """The text of a finding; where it begins with its item's own words, with those of the reader's language.

    What a person has written stays as it was written.
    """
    words = next((item["text"] for item in items if item["key"] == item_key), None)
    if not words:
        return text
    for said in words.values():
        if text == said or text.startswith(f"{said}: "):
            return str(words[locale]) + text[len(said) :]
    return text
