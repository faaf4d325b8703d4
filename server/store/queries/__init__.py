"""Named queries, one file for each noun. Each takes the company first; none commits."""
