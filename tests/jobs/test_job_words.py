"""Every job has a name and a sentence for its report, in both languages."""

from __future__ import annotations

import json
import string
from pathlib import Path

import server.text
from server.actions.generate_visits import Report
from server.jobs.timetable import TIMETABLE

TEXT = Path(server.text.__file__).parent
WORDS = {locale: json.loads((TEXT / f"job.{locale}.json").read_text("utf-8")) for locale in ("en", "ru")}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_job_and_its_report_have_words() -> None:
    for words in WORDS.values():
        for job in TIMETABLE:
            assert job.name in words
            assert f"{job.name}.report" in words


def test_both_languages_say_the_same() -> None:
    assert WORDS["en"].keys() == WORDS["ru"].keys()
    for code, text in WORDS["en"].items():
        assert placeholders(text) == placeholders(WORDS["ru"][code]), code


def test_a_report_holds_what_its_sentence_tells() -> None:
    assert placeholders(WORDS["en"]["generate_visits.report"]) <= Report().to_json().keys()
