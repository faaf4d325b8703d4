"""Files in a store that speaks S3.

An upload is a row of pieces, each an object named after its first byte. No piece is ever changed, and which of two
pieces that begin at one byte counts does not matter: both came from a sender who promised the hash of the whole.
So several servers, retries and half-dead requests need no lock.
"""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from server.store.files.contract import BLOCK, FilesAway, NoRoom, Opened, Readable

PIECE = 256 * 1024
"""Bytes of a piece at most: so much of an upload is held in memory."""

HELD_S = 5.0
"""Seconds after which a smaller piece is stored too: so much of a slow upload is lost when the server is killed."""

_GONE = {"NoSuchKey", "404", "NotFound"}
_FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage"}


class S3Files:
    """Files in one bucket, under one prefix."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self.bucket = bucket
        self.prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        # Checksums of newer dialects are refused by older stores; the files' own hashes are checked anyway.
        config = Config(
            connect_timeout=5,
            read_timeout=30,
            retries={"max_attempts": 3, "mode": "standard"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self._s3: Any = boto3.client("s3", config=config)

    def received(self, upload_id: str) -> int:
        chain = self._chain(upload_id)
        return chain[-1][1] if chain else 0

    def append(self, upload_id: str, source: Readable, offset: int, most: int) -> int:
        if self.received(upload_id) != offset:
            raise ValueError(offset)
        position, piece = offset, bytearray()
        since = time.monotonic()
        try:
            while position + len(piece) - offset < most:
                block = source.read(min(BLOCK, most - (position + len(piece) - offset)))
                if not block:
                    break
                piece += block
                if len(piece) >= PIECE or time.monotonic() - since > HELD_S:
                    position, piece = self._put_piece(upload_id, position, piece), bytearray()
                    since = time.monotonic()
        finally:
            if piece:
                position = self._put_piece(upload_id, position, piece)
        return position

    @contextmanager
    def whole(self, upload_id: str) -> Iterator[Path]:
        chain = self._chain(upload_id)
        if not chain:
            raise FileNotFoundError(upload_id)
        with tempfile.NamedTemporaryFile(prefix="rounds-") as file:
            for key, end in chain:
                with self._get(key).file as body:
                    body.read(file.tell() - self._start(key))
                    while file.tell() < end and (block := body.read(min(PIECE, end - file.tell()))):
                        file.write(block)
            file.flush()
            yield Path(file.name)

    def keep(self, upload_id: str, bytes_at: Path, key: str) -> None:
        with bytes_at.open("rb") as file:
            self._call("put_object", Key=self.prefix + key, Body=file)

    def write(self, key: str, data: bytes) -> None:
        self._call("put_object", Key=self.prefix + key, Body=data)

    def open(self, key: str) -> Opened:
        return self._get(self.prefix + key)

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        with tempfile.NamedTemporaryFile(prefix="rounds-") as file:
            with self.open(key).file as body:
                while block := body.read(PIECE):
                    file.write(block)
            file.flush()
            yield Path(file.name)

    def copy(self, key: str, to: str) -> None:
        source = {"Bucket": self.bucket, "Key": self.prefix + key}
        self._call("copy_object", Key=self.prefix + to, CopySource=source)

    def remove(self, key: str) -> None:
        self._call("delete_object", Key=self.prefix + key)

    def forget(self, upload_id: str) -> None:
        for key, _ in self._pieces(upload_id):
            self._call("delete_object", Key=key)

    def free_share(self) -> float | None:
        return None

    def _put_piece(self, upload_id: str, position: int, piece: bytearray) -> int:
        name = f"{self.prefix}uploads/{upload_id}/{position:012d}-{uuid.uuid4().hex}"
        self._call("put_object", Key=name, Body=bytes(piece))
        return position + len(piece)

    def _pieces(self, upload_id: str) -> list[tuple[str, int]]:
        """Keys of all pieces, by their first byte, with the byte after their last."""
        found: list[tuple[str, int]] = []
        told: dict[str, Any] = {}
        while True:
            page = self._call("list_objects_v2", Prefix=f"{self.prefix}uploads/{upload_id}/", **told)
            found += [(one["Key"], self._start(one["Key"]) + one["Size"]) for one in page.get("Contents", ())]
            if not page.get("IsTruncated"):
                return sorted(found)
            told = {"ContinuationToken": page["NextContinuationToken"]}

    def _chain(self, upload_id: str) -> list[tuple[str, int]]:
        """Pieces that cover the upload from its first byte without a gap, each with the end that it reaches."""
        chain: list[tuple[str, int]] = []
        reached = 0
        for key, end in self._pieces(upload_id):
            if self._start(key) <= reached < end:
                chain.append((key, end))
                reached = end
        return chain

    @staticmethod
    def _start(key: str) -> int:
        return int(key.rsplit("/", 1)[1].partition("-")[0])

    def _get(self, full_key: str) -> Opened:
        answer = self._call("get_object", Key=full_key)
        return Opened(file=cast(Any, answer["Body"]), size=answer["ContentLength"])

    def _call(self, name: str, **told: Any) -> Any:
        try:
            return getattr(self._s3, name)(Bucket=self.bucket, **told)
        except ClientError as error:
            _explain(error, str(told.get("Key", "")))
        except BotoCoreError as error:
            raise FilesAway(str(error)) from error


def _explain(error: ClientError, key: str) -> NoReturn:
    code = error.response.get("Error", {}).get("Code", "")
    if code in _GONE:
        raise FileNotFoundError(key) from error
    raise (NoRoom if code in _FULL else FilesAway)(str(error)) from error
