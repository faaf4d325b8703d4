"""Small files as QR pictures: S-216, pinned by vectors that the pages' code passes too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import frames

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "frames.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS["files"], ids=lambda vector: str(vector["name"]))
def test_frames_are_the_same_letter_for_letter(vector: dict[str, Any]) -> None:
    """S-216"""
    data = bytes.fromhex(vector["file"])
    assert frames.cut(data, vector["size"]) == vector["frames"]
    assert frames.gathered(vector["frames"]) == data


@pytest.mark.parametrize("text", VECTORS["none"])
def test_what_is_no_frame_is_refused(text: str) -> None:
    with pytest.raises(frames.NoFrame):
        frames.read(text)


@given(st.binary(min_size=1, max_size=2000), st.integers(40, 480), st.data())
def test_frames_come_in_any_order_with_doubles_losses_and_strangers(
    data: bytes, size: int, draw: st.DataObject
) -> None:
    """S-216: a missed frame comes again, and what is not of the file is passed over."""
    texts = frames.cut(data, size)
    seen = draw.draw(st.lists(st.sampled_from(texts), max_size=3 * len(texts)))
    assert frames.gathered([*seen, "https://example.com/"]) in (None, data)
    rest = draw.draw(st.permutations(texts))
    assert frames.gathered([*seen, *rest]) == data


def test_an_altered_letter_is_noticed() -> None:
    [text] = frames.cut(b"one frame")
    for at in range(len(text)):
        altered = text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]
        assert frames.gathered([altered]) is None


def test_another_file_begins_anew() -> None:
    one, two = frames.cut(b"a" * 100, 40), frames.cut(b"b" * 100, 40)
    assert frames.gathered([one[0], one[1], *two, one[2]]) is None
    assert frames.gathered([one[0], *two]) == b"b" * 100


def test_what_is_too_large_goes_another_way() -> None:
    """S-216"""
    assert frames.fits(frames.BYTES * frames.MOST_FRAMES)
    assert not frames.fits(frames.BYTES * frames.MOST_FRAMES + 1)
    assert not frames.fits(0)
    with pytest.raises(ValueError):
        frames.cut(bytes(frames.BYTES * frames.MOST_FRAMES + 1))


@given(st.binary(max_size=60))
def test_base45_comes_back(data: bytes) -> None:
    assert frames.from_base45(frames.to_base45(data)) == data


def test_base45_is_that_of_the_standard() -> None:
    assert frames.to_base45(b"AB") == "BB8"
    assert frames.to_base45(b"Hello!!") == "%69 VD92EX0"
    assert frames.from_base45("QED8WEX0") == b"ietf!"
    for wrong in ("GGW", ":::", "A", "::"):
        with pytest.raises(frames.NoFrame):
            frames.from_base45(wrong)
