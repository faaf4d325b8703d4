"""Words that a tablet made of a checklist are said in the reader's language; a person's own words are left alone."""

from __future__ import annotations

import pytest

from server.actions.finding_words import finding_text

ITEMS = [{"key": "pressure", "text": {"en": "Pressure", "ru": "Давление"}}]


@pytest.mark.parametrize(
    ("text", "item", "said"),
    [
        ("Pressure: 4.6 bar", "pressure", "Давление: 4.6 bar"),
        ("Pressure", "pressure", "Давление"),
        ("Давление: 4,6 бар", "pressure", "Давление: 4,6 бар"),
        ("Pressure gauge is broken", "pressure", "Pressure gauge is broken"),
        ("Pressure: 4.6 bar", "seal", "Pressure: 4.6 bar"),
        ("Drips", None, "Drips"),
    ],
)
def test_only_the_items_own_words_are_translated(text: str, item: str | None, said: str) -> None:
    assert finding_text(text, item, ITEMS, "ru") == said
