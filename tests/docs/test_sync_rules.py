"""Every rule of the sync protocol is held by a test that names it, and no test names a rule that is not there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RULE = re.compile(r"\bS-\d{1,3}\b")
CITING = [
    *(ROOT / "tests" / "api").glob("test_sync*.py"),
    *(ROOT / "tests" / "sync").glob("*.py"),
    *(ROOT / "tests" / "web").glob("*.test.mjs"),
    *(ROOT / "tests" / "faults").glob("*.py"),
]


def named(text: str) -> set[str]:
    """Rules that a text names, each of a span (`S-10 to S-12`) by itself not counted."""
    return set(RULE.findall(re.sub(r"S-\d+ to S-\d+", "", text)))


def rules() -> list[str]:
    return re.findall(r"^\*\*(S-\d+)\*\*", (ROOT / "docs" / "sync-protocol.md").read_text("utf-8"), re.M)


def test_each_rule_has_one_number() -> None:
    assert len(rules()) == len(set(rules()))
    assert rules() == sorted(rules(), key=lambda rule: int(rule[2:]))


def test_each_rule_is_named_by_a_test() -> None:
    cited = set().union(*(named(path.read_text("utf-8")) for path in CITING))
    assert set(rules()) - cited == set()


def test_nothing_names_a_rule_that_is_not_there() -> None:
    for path in [*CITING, *(ROOT / "sync").glob("*.py"), *(ROOT / "server").rglob("*.py")]:
        assert named(path.read_text("utf-8")) <= set(rules()), path
