"""Properties are judged by their answer, not by the clock of a busy machine.

`ROUNDS_LONG=1` tries thousands of random plans instead of hundreds.
"""

import os

from hypothesis import settings

LONG = bool(os.environ.get("ROUNDS_LONG"))

settings.register_profile("rounds-domain", deadline=None, max_examples=60)
settings.register_profile("rounds-domain-long", deadline=None, max_examples=2000)
settings.load_profile("rounds-domain-long" if LONG else "rounds-domain")


def tries(usual: int, long: int) -> int:
    """How many random cases a property is tried on."""
    return long if LONG else usual
