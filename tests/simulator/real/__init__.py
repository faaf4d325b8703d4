"""The real application as a side of the simulator: what it holds, read as facts, and its doors in virtual time."""
