import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.__main__ import main
from routing.check import check
from routing.formats.document import plan_from_document, plan_to_document, problem_from_document, problem_to_document
from routing.plan import StopAfter
from routing.solve import solve
from tests.routing.builders import generated, problem, technician, visit


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 6), st.integers(0, 3), st.integers(1, 2))
def test_problem_survives_its_document(seed, visits, technicians, days):
    asked = generated(seed, visits, technicians, days)
    document = json.loads(json.dumps(problem_to_document(asked)))
    again = problem_from_document(document)
    assert again == asked
    assert (again.seconds == asked.seconds).all()
    assert (again.metres == asked.metres).all()


def test_plan_survives_its_document_with_reasons_and_remedies():
    asked = generated(3, 12, 2)
    plan = solve(asked, StopAfter(iterations=5))
    assert plan.unassigned
    assert plan_from_document(json.loads(json.dumps(plan_to_document(plan)))) == plan


def test_matrices_may_be_left_out():
    asked = generated(1, 3, 1)
    document = problem_to_document(asked)
    del document["travel"]
    assert problem_from_document(document).seconds.shape == asked.seconds.shape


def test_misspelt_rule_is_refused_by_name():
    document = problem_to_document(problem([visit()], [technician()]))
    document["visits"][0]["skils"] = {"gas": 1}
    with pytest.raises(ValueError, match="skils"):
        problem_from_document(document)
    with pytest.raises(ValueError, match="days"):
        problem_from_document({"visits": []})


def test_command_line_solves_and_judges(tmp_path, capsys):
    asked = generated(5, 8, 2)
    question, answer = tmp_path / "problem.json", tmp_path / "plan.json"
    question.write_text(json.dumps(problem_to_document(asked)), encoding="utf-8")
    assert main(["solve", str(question), "--iterations", "5", "--seed", "7"]) == 0
    text = capsys.readouterr().out
    answer.write_text(text, encoding="utf-8")
    assert check(asked, plan_from_document(json.loads(text))) == []
    assert main(["check", str(question), str(answer)]) == 0
    document = json.loads(text)
    document["routes"][0]["stops"][0]["start"] -= 3600
    answer.write_text(json.dumps(document), encoding="utf-8")
    assert main(["check", str(question), str(answer)]) == 1
    assert "starts-before-arrival" in capsys.readouterr().out
    assert main(["check", str(question), str(tmp_path / "absent.json")]) == 2
