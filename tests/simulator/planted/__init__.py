"""Planted bugs: one class or function each, put in the place of a part of the simulated server or tablet by a test.

A checker that never failed proves nothing. `BUGS` names each bug, what is wrong with it, the faults in which it shows,
and the laws of which at least one must notice.
"""

from tests.simulator.planted.base import Bug, find
from tests.simulator.planted.client import CLIENT_BUGS
from tests.simulator.planted.histories import HISTORY_BUGS
from tests.simulator.planted.judging import JUDGING_BUGS
from tests.simulator.planted.reading import READING_BUGS
from tests.simulator.planted.storing import STORING_BUGS

BUGS: tuple[Bug, ...] = (*STORING_BUGS, *HISTORY_BUGS, *READING_BUGS, *JUDGING_BUGS, *CLIENT_BUGS)

__all__ = ["BUGS", "Bug", "find"]
