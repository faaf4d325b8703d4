"""What `_prepare.py` ends with when all is ready, so that `server` knows whose company it serves."""

DEMO = 20
OWN = 21
DEMO_EMAIL = "dispatcher@rounds.example"
