"""The bytes of files: uploads that grow, and what is kept of them. Local disk, or any store that speaks S3.

Both keep one contract (`contract.py`), and both pass one test suite.
"""

from __future__ import annotations

from pathlib import Path

from flask import current_app

from server.store.files.contract import BLOCK, Files, FilesAway, NoRoom, Opened, Readable
from server.store.files.local import LocalFiles, sync_folder

__all__ = [
    "BLOCK",
    "Files",
    "FilesAway",
    "LocalFiles",
    "NoRoom",
    "Opened",
    "Readable",
    "current_files",
    "open_files",
    "sync_folder",
]


def current_files() -> Files:
    """The store that the application's settings name, opened once for each process."""
    held: Files | None = current_app.extensions.get("rounds_files")
    if held is None:
        held = open_files(current_app.config["FILES"], current_app.config["DATA_FOLDER"])
        current_app.extensions["rounds_files"] = held
    return held


def open_files(address: str, folder: Path) -> Files:
    """The store that an address names: empty for `folder` on the local disk, or `s3://bucket/prefix`.

    An S3 store takes its endpoint and keys from the environment, as every program of AWS does (`AWS_ENDPOINT_URL_S3`,
    `AWS_ACCESS_KEY_ID`, …), and needs what `requirements-s3.txt` names. Raises ValueError for another address.
    """
    if not address:
        return LocalFiles(folder)
    scheme, separator, rest = address.partition("://")
    bucket, _, prefix = rest.partition("/")
    if (scheme, separator) != ("s3", "://") or not bucket:
        raise ValueError(f"FILES must be empty or s3://bucket/prefix, not {address}")
    from server.store.files.s3 import S3Files

    return S3Files(bucket, prefix)
