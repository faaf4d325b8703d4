"""What `_prepare.py` ends with when all is ready, so that `server` knows whose company it serves."""

DEMO = 20
OWN = 21
DEMO_EMAIL = "dispatcher@rounds.example"
DEMO_TECHNICIANS = {"Andorra": "jordi.vila@rounds.example", "Москва": "aleksey.smirnov@rounds.example"}
"""A technician of each branch; the office sees all addresses in its list of technicians."""
