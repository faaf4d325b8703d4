"""The only code that speaks SQL: models, named queries, the feed, and the one place that commits."""
