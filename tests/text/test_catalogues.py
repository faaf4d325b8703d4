"""Both languages have the same codes with the same numbers in them, and all plural forms that they need."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from babel import Locale

from server.text import say

FOLDER = Path(__file__).resolve().parent.parent.parent / "server" / "text"
AREAS = sorted({path.name.split(".")[0] for path in FOLDER.glob("*.json")})


def catalogue(area: str, locale: str) -> dict[str, Any]:
    texts: dict[str, Any] = json.loads((FOLDER / f"{area}.{locale}.json").read_text("utf-8"))
    return texts


def placeholders(text: Any) -> set[str]:
    whole = " ".join(text.values()) if isinstance(text, dict) else text
    return set(re.findall(r"{(\w+)}", whole))


@pytest.mark.parametrize("area", AREAS)
def test_both_languages_have_the_same_codes(area: str) -> None:
    assert catalogue(area, "en").keys() == catalogue(area, "ru").keys()


@pytest.mark.parametrize("area", AREAS)
def test_both_languages_put_the_same_numbers_into_a_sentence(area: str) -> None:
    english, russian = catalogue(area, "en"), catalogue(area, "ru")
    differing = {code for code in english if placeholders(english[code]) - {"n"} != placeholders(russian[code]) - {"n"}}
    assert not differing


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("locale", ["en", "ru"])
def test_a_sentence_with_a_count_has_all_plural_forms(area: str, locale: str) -> None:
    needed = set(Locale(locale).plural_form.tags) | {"other"}
    for code, text in catalogue(area, locale).items():
        if isinstance(text, dict):
            assert set(text) == needed, code


NOT_TRANSLATED = re.compile(
    "JSON|UTF|GET|HEAD|Rounds|Allow|UUID|ISO|YYYY|MM|DD|CSV|Tus|Resumable|sync|v|schema|m|d|end|RRULE|UTC|FREQ|INTERVAL|DAILY|WEEKLY|MONTHLY|YEARLY"
    "|Europe|Moscow|Mo|Fr|Sa|RUB|BOM|external|ref|site|asset|W|gzip|zstd"
)
"""Names, formats and codes that are the same in every language."""


@pytest.mark.parametrize("area", AREAS)
def test_russian_sentences_have_no_english_words(area: str) -> None:
    for code, text in catalogue(area, "ru").items():
        for sentence in text.values() if isinstance(text, dict) else [text]:
            words = set(re.findall(r"[A-Za-z]+", re.sub(r"{\w+}", "", sentence)))
            english = {word for word in words if not NOT_TRANSLATED.fullmatch(word)}
            assert not english, code


@pytest.mark.parametrize(
    ("n", "expected"),
    [(0, "0 конфликтов ждут"), (1, "1 конфликт ждёт"), (2, "2 конфликта ждут"), (5, "5 конфликтов ждут"),
     (11, "11 конфликтов ждут"), (21, "21 конфликт ждёт"), (22, "22 конфликта ждут"), (101, "101 конфликт ждёт"),
     (111, "111 конфликтов ждут")],
)  # fmt: skip
def test_russian_counts_take_their_form(n: int, expected: str) -> None:
    assert say("board", "conflicts-open", {"n": n}, "ru").startswith(expected)


def test_a_code_without_words_comes_out_as_itself() -> None:
    assert say("board", "nobody-wrote-this", {}, "ru") == "nobody-wrote-this"


def test_dates_and_decimals_follow_the_language() -> None:
    assert say("coverage", "{day} {price}", {"day": "2026-11-23", "price": 14.2}, "ru") == "23.11.2026 14,2"
    assert say("coverage", "{day} {price}", {"day": "2026-11-23", "price": 14.2}, "en") == "23 Nov 2026 14.2"
