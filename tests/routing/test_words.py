"""Every code has words in both languages, and the words ask for nothing that the code does not give."""

import ast
import json
import string
from pathlib import Path

import pytest

from routing.explain import explained
from routing.frame import build_frame
from routing.repair import legalise
from routing.solve import plan_of
from tests.routing.builders import generated

ROOT = Path(__file__).parents[2]
FORMS = {"en": {"one", "other"}, "ru": {"one", "few", "many", "other"}}


def words(locale):
    return json.loads((ROOT / f"server/text/route.{locale}.json").read_text("utf-8"))


def codes():
    """Every kebab-case or single-word text that is a `code=` or a first choice of a code in the sources."""
    found = set()
    for name in ("explain.py", "remedies.py", "solve.py", "steady.py"):
        tree = ast.parse((ROOT / "routing" / name).read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "code":
                found |= {
                    n.value for n in ast.walk(node.value) if isinstance(n, ast.Constant) and isinstance(n.value, str)
                }
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in words("en"):
                found.add(node.value)
    return found


def fields(text):
    texts = text.values() if isinstance(text, dict) else [text]
    return {field for t in texts for _, field, _, _ in string.Formatter().parse(t) if field}


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_each_code_of_the_planner_has_words(locale):
    assert codes() <= set(words(locale))


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_plurals_have_the_forms_of_the_language(locale):
    for text in words(locale).values():
        if isinstance(text, dict):
            assert set(text) == FORMS[locale]


def test_both_languages_ask_for_the_same_parameters():
    for code, text in words("en").items():
        assert fields(text) | {"n"} == fields(words("ru")[code]) | {"n"}, code


def test_reasons_of_real_plans_bring_all_that_their_words_ask_for():
    seen = set()
    for seed in range(25):
        asked = generated(seed, 16, 3, 1 + seed % 2, load_minutes=90)
        frame = build_frame(asked)
        orders = legalise(frame, [list(range(d, 16, 2 * frame.n_days)) for d in range(frame.n_days)])
        plan = explained(asked, plan_of(frame, orders), frame)
        found = [stop.why for route in plan.routes for stop in route.stops]
        found += [reason for left in plan.unassigned for reason in left.reasons]
        for reason in found + [reason.remedy for reason in found if reason.remedy]:
            seen.add(reason.code)
            for locale in FORMS:
                assert fields(words(locale)[reason.code]) <= set(reason.params), reason
            assert None not in reason.params.values(), reason
    assert len(seen) > 15
