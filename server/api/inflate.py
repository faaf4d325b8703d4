"""Compressed bodies of requests, inflated as they arrive and never further than they may grow."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from backports import zstd
from flask import request

from server.problems import Problem
from server.store.files import Readable

READ = 16 * 1024
STEP = 64 * 1024
"""Bytes that are inflated at a time."""

ZSTD_WINDOW_LOG = 23
"""8 MiB: a frame may ask its reader for far more memory than its content needs."""

GZIP_WINDOW = 31


class _Gzip:
    def __init__(self) -> None:
        self.inner = zlib.decompressobj(GZIP_WINDOW)

    @property
    def eof(self) -> bool:
        return self.inner.eof

    @property
    def rest(self) -> bytes:
        return self.inner.unused_data

    @property
    def hungry(self) -> bool:
        return not self.inner.unconsumed_tail

    def step(self, data: bytes, most: int) -> bytes:
        return self.inner.decompress(self.inner.unconsumed_tail + data, most)


class _Zstd:
    def __init__(self) -> None:
        self.inner = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG})

    @property
    def eof(self) -> bool:
        return self.inner.eof

    @property
    def rest(self) -> bytes:
        return self.inner.unused_data

    @property
    def hungry(self) -> bool:
        return self.inner.needs_input

    def step(self, data: bytes, most: int) -> bytes:
        return self.inner.decompress(data, most)


ENCODINGS: dict[str, Callable[[], _Gzip | _Zstd]] = {"gzip": _Gzip, "zstd": _Zstd}


def body(*, most_sent: int, most: int) -> bytes:
    """The body of this request, inflated if it says that it is compressed.

    Raises Problem: `too-large` (413) when more than `most_sent` bytes come or more than `most` would come out of them,
    `not-acceptable` (415) for an encoding that is not gzip or zstd, `broken-encoding` (400) for bytes that are not what
    they say or do not end.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding != "identity" and encoding not in ENCODINGS:
        headers = {"Accept-Encoding": ", ".join(ENCODINGS)}
        raise Problem(415, "not-acceptable", expected=", ".join(ENCODINGS), headers=headers)
    if (request.content_length or 0) > most_sent:
        raise Problem(413, "too-large")
    pieces = _pieces(request.stream, most_sent)
    if encoding == "identity":
        return b"".join(pieces)
    return b"".join(_inflated(pieces, ENCODINGS[encoding](), most))


def _pieces(stream: Readable, most: int) -> Iterator[bytes]:
    left = most
    while piece := stream.read(min(READ, left + 1)):
        left -= len(piece)
        if left < 0:
            raise Problem(413, "too-large")
        yield piece


def _inflated(pieces: Iterator[bytes], inflater: _Gzip | _Zstd, most: int) -> Iterator[bytes]:
    left = most
    try:
        for piece in pieces:
            if inflater.eof:
                raise Problem(400, "broken-encoding")
            data = piece
            while True:
                out = inflater.step(data, min(STEP, left + 1))
                left -= len(out)
                if left < 0:
                    raise Problem(413, "too-large")
                yield out
                data = b""
                if inflater.eof or (inflater.hungry and len(out) < STEP):
                    break
    except (zlib.error, zstd.ZstdError) as error:
        raise Problem(400, "broken-encoding") from error
    if not inflater.eof or inflater.rest:
        raise Problem(400, "broken-encoding")
