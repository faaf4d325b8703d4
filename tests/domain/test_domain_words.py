"""Every code that a core can produce has words in both languages, with the parameters that the core gives."""

import ast
import json
import string
from pathlib import Path

import pytest

from server.domain import coverage, maintenance

DOMAIN = Path(maintenance.__file__).parents[1]
TEXT = DOMAIN.parent / "text"
SAYING = {"reason", "_no"}
CORES = [("plan", Path(maintenance.__file__).parent), ("coverage", Path(coverage.__file__).parent)]
FORMS = {"en": {"one", "other"}, "ru": {"one", "few", "many", "other"}}


def codes_of(folder: Path) -> dict[str, set[str]]:
    """code -> parameter names that every place saying it gives, read from the source."""
    found: dict[str, set[str]] = {}
    tables: dict[str, list[str]] = {}
    calls: list[ast.Call] = []
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
                name = node.targets[0].id if isinstance(node.targets[0], ast.Name) else ""
                if name.endswith("_CODES"):
                    tables[name] = [value.value for value in node.value.values if isinstance(value, ast.Constant)]
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYING:
                calls.append(node)
    for call in calls:
        params = {each.arg for each in call.keywords if each.arg}
        for code in said(call.args[0], tables):
            found[code] = found.get(code, params) & params
    return found


def said(code: ast.expr, tables: dict[str, list[str]]) -> list[str]:
    if isinstance(code, ast.Constant):
        return [code.value]
    if isinstance(code, ast.Subscript) and isinstance(code.value, ast.Name):
        return tables[code.value.id]
    if isinstance(code, ast.Call) and isinstance(code.func, ast.Attribute) and isinstance(code.func.value, ast.Name):
        return [*tables[code.func.value.id], code.args[1].value]
    if isinstance(code, ast.IfExp):
        return said(code.body, tables) + said(code.orelse, tables)
    if isinstance(code, ast.Name) and code.id == "code":
        return []  # handed through by a function that is itself in SAYING
    raise AssertionError(f"a code that cannot be read from the source: {ast.dump(code)}")


def forms(text: str | dict[str, str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text.values())


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize(("area", "folder"), CORES, ids=["plan", "coverage"])
@pytest.mark.parametrize("locale", ["en", "ru"])
def test_every_code_has_words(area: str, folder: Path, locale: str) -> None:
    texts = json.loads((TEXT / f"{area}.{locale}.json").read_text("utf-8"))
    codes = codes_of(folder).keys()
    assert codes - texts.keys() == set(), "codes without words"
    assert texts.keys() - codes == set(), "words that nothing says"


@pytest.mark.parametrize("area", ["plan", "coverage"])
def test_both_languages_use_the_same_parameters(area: str) -> None:
    english = json.loads((TEXT / f"{area}.en.json").read_text("utf-8"))
    russian = json.loads((TEXT / f"{area}.ru.json").read_text("utf-8"))
    for code, text in english.items():
        used = {frozenset(placeholders(form)) for form in forms(text) + forms(russian[code])}
        assert len(used) == 1, code


@pytest.mark.parametrize("area", ["plan", "coverage"])
@pytest.mark.parametrize("locale", ["en", "ru"])
def test_plural_texts_have_the_forms_of_their_language(area: str, locale: str) -> None:
    texts = json.loads((TEXT / f"{area}.{locale}.json").read_text("utf-8"))
    for code, text in texts.items():
        if isinstance(text, dict):
            assert text.keys() == FORMS[locale], code
            assert all("{n}" in form for form in text.values()), code


@pytest.mark.parametrize(("area", "folder"), CORES, ids=["plan", "coverage"])
def test_words_use_only_parameters_that_the_core_gives(area: str, folder: Path) -> None:
    texts = json.loads((TEXT / f"{area}.en.json").read_text("utf-8"))
    spread = {"price-contract-item": {"number"}, "price-contract-list": {"number"}, "price-regional": {"region"}}
    for code, params in codes_of(folder).items():
        for form in forms(texts[code]):
            asked = placeholders(form)
            # An amount in its currency, as the language writes it.
            asked = asked - {"money"} | ({"amount", "currency"} if "money" in asked else set())
            assert asked <= params | spread.get(code, set()), code
