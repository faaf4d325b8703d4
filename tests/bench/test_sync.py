"""The load of `bench/` and what it asks: when people meet on a running server nothing of theirs is lost."""

from __future__ import annotations

import orjson
import pytest

from bench.behaviour import acknowledged, both_edits, follower, newer_edit
from bench.load import visits
from bench.rounds import Rounds

WRITTEN = 240
"""Documents, in batches of ten, from eight clients."""


@pytest.fixture
def rounds(database_url, tmp_path):
    peer = Rounds(database_url, tmp_path, devices=1)
    with peer.run():
        yield peer


def test_two_people_a_lost_answer_a_follower_and_all_that_was_acknowledged(rounds):
    """S-23, S-27 and S-35 in four questions to processes of gunicorn, as `bench/sync.py` asks them."""
    answers = [
        both_edits(rounds),
        newer_edit(rounds),
        follower(rounds, WRITTEN),
        acknowledged(rounds, WRITTEN),
    ]

    assert answers == ["both kept", "newer stands", "misses nothing", "all is stored"]


def test_the_load_is_the_same_for_the_same_seed_and_as_long_as_is_said():
    documents = visits(2000, 1)

    assert documents == visits(2000, 1)
    assert documents[:100] != visits(100, 2)
    assert sum(len(orjson.dumps(document)) for document in documents) / 2000 == pytest.approx(592, abs=2)
