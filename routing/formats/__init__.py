"""Files of the planner: one JSON document for a problem, one for a plan."""
