"""Chance that repeats: random numbers and ids that follow from a seed and the name of what they are for."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, date, datetime, time


class Chance(random.Random):
    """Random numbers for one part of the demo company; another part's draws do not change them."""

    def __new__(cls, seed: int, part: str) -> Chance:
        return super().__new__(cls)

    def __init__(self, seed: int, part: str) -> None:
        super().__init__(f"{seed}/{part}")

    def id(self, at: datetime | date) -> str:
        """A UUIDv7 of this moment (RFC 9562 §5.7) whose random bits come from the seed."""
        moment = at if isinstance(at, datetime) else datetime.combine(at, time(), UTC)
        value = int(moment.timestamp() * 1000) << 80 | 0x7 << 76 | self.getrandbits(12) << 64 | 0x2 << 62
        return str(uuid.UUID(int=value | self.getrandbits(62)))

    def happens(self, share: float) -> bool:
        """True in `share` of the calls."""
        return self.random() < share
