"""The contract of every store of files, run over the local disk and over a store that speaks S3."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.store.files import Files, FilesAway, LocalFiles, NoRoom, open_files, places
from tests import s3

DATA = bytes(range(256)) * 400
COMPANY = str(uuid.uuid4())
SHA = hashlib.sha256(DATA).hexdigest()
KEY = places.original(COMPANY, SHA)


@pytest.fixture(scope="module")
def s3_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with s3.server(tmp_path_factory.mktemp("s3")) as environment:
        yield environment


@pytest.fixture(params=["local", "s3"])
def files(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    if request.param == "local":
        return open_files("", tmp_path)
    for name, value in request.getfixturevalue("s3_environment").items():
        monkeypatch.setenv(name, value)
    return open_files(f"s3://{s3.BUCKET}/{uuid.uuid4().hex}/", tmp_path)


@pytest.fixture
def upload() -> str:
    return str(uuid.uuid4())


class Broken(io.RawIOBase):
    """A sender that goes away after some bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        block = self.data.read(size)
        if not block:
            raise ConnectionResetError
        return block


def read(files: Files, key: str) -> bytes:
    opened = files.open(key)
    with opened.file as file:
        data = file.read()
    assert len(data) == opened.size
    return data


@pytest.mark.parametrize("cut", [0, 1, 16_383, 16_384, 16_385, 70_001, len(DATA) - 1])
def test_an_upload_goes_on_from_any_byte(files: Files, upload: str, cut: int) -> None:
    with pytest.raises(ConnectionResetError):
        files.append(upload, Broken(DATA[:cut]), 0, len(DATA))
    assert files.received(upload) == cut
    assert files.append(upload, io.BytesIO(DATA[cut:]), cut, len(DATA) - cut) == len(DATA)
    with files.whole(upload) as path:
        assert path.read_bytes() == DATA


def test_no_more_is_taken_than_was_asked_for(files: Files, upload: str) -> None:
    assert files.append(upload, io.BytesIO(DATA), 0, 10) == 10
    assert files.received(upload) == 10


@pytest.mark.parametrize("offset", [0, 9, 11])
def test_an_upload_does_not_go_on_from_another_byte(files: Files, upload: str, offset: int) -> None:
    files.append(upload, io.BytesIO(DATA), 0, 10)
    with pytest.raises(ValueError):
        files.append(upload, io.BytesIO(DATA), offset, 10)
    assert files.received(upload) == 10


def test_a_half_dead_request_holds_nobody_up(files: Files, upload: str) -> None:
    """The first request hangs after 20,000 bytes; the tablet comes again, asks for the offset and sends the rest."""
    hangs, goes_on = threading.Event(), threading.Event()
    ended: list[type[BaseException] | None] = []

    class Hanging(io.RawIOBase):
        data = io.BytesIO(DATA)

        def read(self, size: int = -1) -> bytes:
            if self.data.tell() >= 20_000:
                hangs.set()
                goes_on.wait(20)
            return self.data.read(size)

    def first() -> None:
        try:
            files.append(upload, Hanging(), 0, len(DATA))
            ended.append(None)
        except ValueError as error:
            ended.append(type(error))

    thread = threading.Thread(target=first)
    thread.start()
    assert hangs.wait(20)
    offset = files.received(upload)
    assert files.append(upload, io.BytesIO(DATA[offset:]), offset, len(DATA)) == len(DATA)
    goes_on.set()
    thread.join(20)
    assert len(ended) == 1
    with files.whole(upload) as path:
        assert path.read_bytes() == DATA


def test_what_is_kept_stays_when_its_upload_is_forgotten(files: Files, upload: str) -> None:
    files.append(upload, io.BytesIO(DATA), 0, len(DATA))
    with files.whole(upload) as path:
        files.keep(upload, path, KEY)
        files.keep(upload, path, KEY)
    assert files.received(upload) == len(DATA)
    files.forget(upload)
    files.forget(upload)
    assert files.received(upload) == 0
    assert read(files, KEY) == DATA
    with pytest.raises(FileNotFoundError), files.whole(upload):
        pass


def test_an_intact_copy_takes_the_place_of_a_rotten_one(files: Files, upload: str) -> None:
    files.write(KEY, b"rotten")
    files.append(upload, io.BytesIO(DATA), 0, len(DATA))
    with files.whole(upload) as path:
        files.keep(upload, path, KEY)
    assert read(files, KEY) == DATA


def test_a_file_is_copied_and_removed(files: Files, upload: str) -> None:
    aside = places.aside(COMPANY, upload)
    files.write(aside, DATA)
    files.copy(aside, KEY)
    files.remove(aside)
    files.remove(aside)
    assert read(files, KEY) == DATA
    with files.local(KEY) as path:
        assert path.read_bytes() == DATA
    for key in (aside, places.thumbnail(COMPANY, SHA)):
        with pytest.raises(FileNotFoundError):
            files.open(key)
        with pytest.raises(FileNotFoundError):
            files.copy(key, KEY)
        with pytest.raises(FileNotFoundError), files.local(key):
            pass
    assert read(files, KEY) == DATA


def test_how_much_is_free_is_known_or_not_told(files: Files) -> None:
    share = files.free_share()
    assert share is None or 0 < share < 1


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 63, "A" * 64, "\x00" * 64, "CON", "0" * 300])
def test_nothing_but_ids_and_hashes_names_a_place(name: str) -> None:
    for make in (places.original, places.shown, places.thumbnail, places.preview, places.aside):
        with pytest.raises(ValueError):
            make(COMPANY, name)
        with pytest.raises(ValueError):
            make(name, SHA)


@pytest.mark.parametrize("address", ["ftp://x/y", "s3://", "s3:/bucket", "/srv/files"])
def test_another_address_is_refused_at_the_start(address: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="FILES"):
        open_files(address, tmp_path)


def test_a_store_that_does_not_answer_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.serving import free_port

    for name, value in (s3.KEYS | {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{free_port()}"}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(FilesAway):
        open_files("s3://nowhere", tmp_path).received(str(uuid.uuid4()))


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="a full disk needs a file system of its own"
)
def test_a_full_disk_keeps_what_came_and_says_so(tmp_path: Path, upload: str) -> None:
    """F6"""
    mounting = ["mount", "-t", "tmpfs", "-o", "size=64k", "rounds-test", str(tmp_path)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("a full disk needs a file system of its own: mounting is not allowed here")
    try:
        files = LocalFiles(tmp_path)
        with pytest.raises(NoRoom):
            files.append(upload, io.BytesIO(DATA), 0, len(DATA))
        kept = files.received(upload)
        assert 0 < kept <= 64 * 1024
        with files.whole(upload) as path:
            assert path.read_bytes() == DATA[:kept]
        with pytest.raises(NoRoom):
            files.write(KEY, DATA)
        with pytest.raises(FileNotFoundError):
            files.open(KEY)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
