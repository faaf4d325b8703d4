"""The pure cores of the application: maintenance (what is due) and coverage (what is paid)."""
