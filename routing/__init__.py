"""The route planner: who visits whom, when, and why. Pure: no web, no database; `stop` and `seed` are arguments.

Start at `solve.solve`, which reads as the procedure. The question is `problem.Problem`, the answer `plan.Plan`;
`check.check` judges any plan from the problem alone, `explain` says why a visit is where it is or is left out,
`insert.best_insertions` answers an urgent call at once. The model in words: docs/routing-model.md.
"""
