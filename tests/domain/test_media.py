"""What a file is by its bytes, and what may be shown of it (F26)."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from server.domain.media import kinds
from server.domain.media.judge import Verdict, judge
from server.domain.media.structure import walk
from tests import pictures

Judge = Callable[..., Verdict]
JPEG, PNG, WEBP = (pictures.photo(form=form) for form in ("JPEG", "PNG", "WEBP"))


@pytest.fixture
def verdict(tmp_path: Path) -> Judge:
    def of(data: bytes, claimed: str | None = "image/jpeg") -> Verdict:
        path = tmp_path / "file"
        path.write_bytes(data)
        return judge(path, claimed)

    return of


def progressive() -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(JPEG)).save(out, "JPEG", progressive=True, restart_marker_blocks=4)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (JPEG, "image/jpeg"),
        (PNG, "image/png"),
        (WEBP, "image/webp"),
        (pictures.HEIC, "image/heic"),
        (pictures.PDF, "application/pdf"),
        (pictures.SVG, "image/svg+xml"),
        (b"\xef\xbb\xbf \n<svg onload=alert(1)>", "image/svg+xml"),
        (pictures.HTML, "text/html"),
        ("<html>".encode("utf-16"), "text/html"),
        (b"Harmless words, then <script>", "text/html"),
        ("Ключ у сторожа\n".encode(), "text/plain"),
        (b"MZ\x90", "application/x-executable"),
        (b"\x00\x01\x02", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_bytes_say(data: bytes, found: str) -> None:
    assert kinds.media_type(data[: kinds.HEAD]) == found


@given(st.binary(max_size=64))
def test_every_file_has_a_family(data: bytes) -> None:
    assert kinds.family(kinds.media_type(data))


@pytest.mark.parametrize("data", [JPEG, PNG, WEBP, progressive()], ids=["jpeg", "png", "webp", "progressive"])
def test_an_honest_photo_stands_and_has_a_thumbnail(verdict: Judge, data: bytes) -> None:
    found = verdict(data)
    assert (found.fault, found.width, found.height) == (None, 160, 120)
    assert Image.open(io.BytesIO(found.shown)).format == Image.open(io.BytesIO(found.thumbnail)).format == "JPEG"


@pytest.mark.parametrize(
    ("data", "claimed", "fault"),
    [
        (pictures.HTML, "image/jpeg", "active-content"),
        (pictures.SVG, "image/svg+xml", "active-content"),
        (pictures.PDF, "image/jpeg", "not-what-it-says"),
        (JPEG, "application/pdf", "not-what-it-says"),
        (b"Just words", "image/jpeg", "not-what-it-says"),
        (pictures.polyglot(), "image/jpeg", "more-than-a-picture"),
        (PNG + bytes(70_000) + b"PK", "image/png", "more-than-a-picture"),
        (WEBP + b"<html>", "image/webp", "more-than-a-picture"),
        (JPEG[:-200], "image/jpeg", "truncated"),
        (PNG[:-20], "image/png", "truncated"),
        (WEBP[:-20], "image/webp", "truncated"),
        (PNG[:60] + b"\x00" + PNG[61:], "image/png", "broken"),
        (b"\xff\xd8\xff\xd9", "image/jpeg", "broken"),
        (pictures.png_bomb(), "image/png", "too-many-pixels"),
    ],
)  # fmt: skip
def test_what_is_not_what_it_says_is_put_before_a_person(verdict: Judge, data: bytes, claimed: str, fault: str) -> None:
    found = verdict(data, claimed)
    assert (found.fault, found.shown) == (fault, None)


def test_a_picture_that_no_decoder_takes_is_put_before_a_person(verdict: Judge) -> None:
    """Its structure is whole; the tables that its scan needs are not there."""
    header = JPEG.index(b"\xff\xc0")
    scan = JPEG.index(b"\xff\xda")
    assert verdict(JPEG[:2] + JPEG[header : header + 19] + JPEG[scan:]).fault == "unreadable"


@pytest.mark.parametrize(
    ("data", "claimed"),
    [
        (pictures.HEIC, "image/heic"),
        (pictures.HEIC, "image/jpeg"),
        (pictures.PDF, "application/pdf"),
        (b"1;2", "text/csv"),
    ],
)
def test_what_no_page_can_show_is_kept_as_a_file(verdict: Judge, data: bytes, claimed: str) -> None:
    found = verdict(data, claimed)
    assert (found.fault, found.shown) == (None, None)


@pytest.mark.parametrize("cut", range(1, len(JPEG), 97))
def test_a_jpeg_that_ends_early_is_seen_wherever_it_ends(cut: int) -> None:
    assert walk(io.BytesIO(JPEG[:cut]), "image/jpeg").fault == "truncated"


@given(st.integers(0, len(PNG) - 1), st.integers(1, 255))
def test_no_damage_breaks_the_judge(position: int, change: int) -> None:
    for data, found in ((JPEG, "image/jpeg"), (PNG, "image/png"), (WEBP, "image/webp")):
        at = position % len(data)
        walk(io.BytesIO(data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]), found)


def test_what_is_shown_stands_upright_and_tells_nothing_of_where_it_was_taken(verdict: Judge) -> None:
    sent = pictures.with_place(orientation=6)
    assert Image.open(io.BytesIO(sent)).getexif().get_ifd(0x8825)
    found = verdict(sent)
    for data in (found.shown, found.thumbnail):
        picture = Image.open(io.BytesIO(data))
        assert not picture.getexif()
        assert picture.height > picture.width
        # Orientation 6 is a quarter turn to the right: what was left, the red part, is above now.
        red, _, blue = picture.convert("RGB").getpixel((picture.width // 2, 2))
        assert red > 200 > blue
        assert b"CANARY" not in data
        assert b"Exif" not in data


def test_transparency_is_white(verdict: Judge) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(out, "PNG")
    shown = Image.open(io.BytesIO(verdict(out.getvalue(), "image/png").shown))
    assert shown.getpixel((20, 20)) == (255, 255, 255)


def test_the_judge_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "sent").write_bytes(pictures.photo(width=3000, height=2000))
    command = [sys.executable, "-m", "server.domain.media", str(tmp_path / "sent"), str(tmp_path), "image/jpeg"]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert told == {"media_type": "image/jpeg", "width": 3000, "height": 2000, "fault": None}
    sides = [
        max(Image.open(io.BytesIO((tmp_path / name).read_bytes())).size) for name in ("shown.jpg", "thumbnail.jpg")
    ]
    assert sides == [2560, 320]
