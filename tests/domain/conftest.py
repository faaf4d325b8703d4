"""Properties are judged by their answer, not by the clock of a busy machine."""

from hypothesis import settings

settings.register_profile("rounds-domain", deadline=None)
settings.load_profile("rounds-domain")
