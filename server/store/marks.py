"""How far each company's feed went, noted outside of the database: the first sign that the database went back.

A file for each company in `<data>/marks/`: its highest feed number in 20 digits, then the names of its histories, one
in a line, the one in force first. It is written after each commit and never ahead of one; it is not made durable, for
a mark that is a little behind only notices a little less. What was revoked is kept next to it, durably: a restore
must not let a lost tablet in again.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from flask import Flask, current_app

from server.store.files import sync_folder

NAME = "rounds-marks"
DIGITS = 20


@dataclass
class Mark:
    """What this process knows of one company: its histories, newest first, and its highest number."""

    seq: int = 0
    epochs: list[str] = field(default_factory=list)


class Marks:
    """The marks of one installation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "marks"
        self._known: dict[str, Mark] = {}
        self._open: dict[str, int] = {}
        self._lock = threading.Lock()

    def known(self, company_id: str) -> int:
        """The highest number that is known to be committed; ask before the state that it is compared with is read."""
        with self._lock:
            return self._mark(company_id).seq

    def note(self, company_id: str, seq: int) -> None:
        """A transaction with this number has been committed."""
        with self._lock:
            mark = self._mark(company_id)
            if seq > mark.seq:
                mark.seq = seq
                os.pwrite(self._file(company_id), f"{seq:0{DIGITS}d}\n".encode(), 0)

    def went_back(self, company_id: str, epoch: str, seq: int, known: int) -> bool:
        """Whether a database at number `seq` of `epoch` is older than what was known when it was read.

        A history that is not known yet is taken as the one in force.
        """
        with self._lock:
            if self._mark(company_id).epochs[:1] == [epoch]:
                return seq < known
            # Another process may have begun a new history: what it wrote down counts.
            mark = self._known[company_id] = self._read(company_id)
            if epoch in mark.epochs[1:]:
                return True
            if mark.epochs[:1] != [epoch]:
                self._begin(company_id, epoch, seq if mark.epochs else max(seq, mark.seq))
            return not mark.epochs and seq < known

    def begin(self, company_id: str, epoch: str, seq: int) -> None:
        """The history `epoch` is in force from now on, and stands at `seq`."""
        with self._lock:
            self._known[company_id] = self._read(company_id)
            self._begin(company_id, epoch, seq)

    def note_revoked(self, company_id: str, device_id: str, at: datetime) -> None:
        """Keep durably that a tablet's access ended."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "revoked").open("a", encoding="ascii") as file:
            file.write(f"{company_id} {device_id} {at.isoformat()}\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.folder)

    def revoked(self, company_id: str) -> dict[str, datetime]:
        """Tablets whose access ended, and when."""
        path = self.folder / "revoked"
        lines = path.read_text("ascii").splitlines() if path.exists() else []
        rows = [line.split(" ") for line in lines if line.startswith(company_id)]
        return {row[1]: datetime.fromisoformat(row[2]) for row in rows if len(row) == 3}

    def _begin(self, company_id: str, epoch: str, seq: int) -> None:
        former = [one for one in self._known[company_id].epochs if one != epoch]
        self._known[company_id] = Mark(seq=seq, epochs=[epoch, *former])
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / company_id
        with (self.folder / f"{company_id}.{os.getpid()}").open("w", encoding="ascii") as file:
            file.write("\n".join([f"{seq:0{DIGITS}d}", epoch, *former, ""]))
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(target)
        sync_folder(self.folder)
        self._close(company_id)

    def _mark(self, company_id: str) -> Mark:
        if company_id not in self._known:
            self._known[company_id] = self._read(company_id)
        return self._known[company_id]

    def _read(self, company_id: str) -> Mark:
        self._close(company_id)
        path = self.folder / company_id
        lines = path.read_text("ascii").split("\n") if path.exists() else []
        seq = lines[0] if lines else ""
        return Mark(seq=int(seq) if seq.isdigit() else 0, epochs=[line for line in lines[1:] if line])

    def _file(self, company_id: str) -> int:
        if company_id not in self._open:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._open[company_id] = os.open(self.folder / company_id, os.O_RDWR | os.O_CREAT, 0o600)
        return self._open[company_id]

    def close(self) -> None:
        """Let go of the files; they are opened again by whatever needs them."""
        with self._lock:
            for company_id in list(self._open):
                self._close(company_id)

    def _close(self, company_id: str) -> None:
        descriptor = self._open.pop(company_id, None)
        if descriptor is not None:
            os.close(descriptor)


def install(app: Flask) -> None:
    """Give the application its marks."""
    app.extensions[NAME] = Marks(app.config["DATA_FOLDER"])


def marks() -> Marks:
    """The marks of the application in force."""
    found: Marks = current_app.extensions[NAME]
    return found
