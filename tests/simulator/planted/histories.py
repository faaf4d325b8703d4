"""Bugs of histories and of who is let in: backups, restores, epochs, revoked tablets."""

from __future__ import annotations

import dataclasses

from sync.change import Json
from sync.simulator.facts import Device
from sync.simulator.memory import MemoryServer
from sync.simulator.memory.pages import Refusal
from sync.simulator.moments import ident
from tests.simulator.planted.base import Bug


class NoEpoch(MemoryServer):
    """A restored server goes on as if nothing had been."""

    def after_restore(self) -> tuple[tuple[str, str, Json], ...]:
        return (("meta", "version_floor", self.epochs * 1_000_000),)


class VersionsAgain(MemoryServer):
    """A restored server gives the same version numbers a second time."""

    def after_restore(self) -> tuple[tuple[str, str, Json], ...]:
        return (("meta", "epoch", ident("epoch", self.seed, self.epochs)),)


class CoversItself(MemoryServer):
    """A backup covers what was answered with the number at which it was made."""

    def number_of_backup(self) -> int:
        newest: int = self.disk.table("meta").get("n", 0)
        return newest + 1


class RevokedServed(MemoryServer):
    """A revoked device is let in."""

    def device_of(self, token: str) -> Device:
        return dataclasses.replace(super().device_of(token), revoked=False)


class RevokedComesBack(MemoryServer):
    """A restore lets in who was revoked since the backup."""

    def note_revoked(self, device_id: str) -> None:
        return


class SaysRevoked(MemoryServer):
    """Who cannot be checked is told that it is over: the tablet wipes itself."""

    def device_of(self, token: str) -> Device:
        if self.guard_broken:
            raise Refusal(401, "device-revoked", wipe=True)
        return super().device_of(token)


class FailsOpen(MemoryServer):
    """Who cannot be checked is let in."""

    def device_of(self, token: str) -> Device:
        device = self.disk.table("device").get(self.disk.table("token").get(token))
        return device if self.guard_broken and device is not None else super().device_of(token)


HISTORY_BUGS: tuple[Bug, ...] = (
    Bug(
        name="epoch not changed",
        says="a restored server answers the cursors of the lost history",
        faults=("restore", "reassign"),
        laws=frozenset({"law 1", "law 4", "I9"}),
        server=NoEpoch,
    ),
    Bug(
        name="versions given twice",
        says="after a restore a version number means two bodies, and an unseen value passes for a seen one",
        faults=("restore", "offline", "no-reply"),
        laws=frozenset({"law 2"}),
        server=VersionsAgain,
        edits=("access", "phone"),
        operations=80,
    ),
    Bug(
        name="backup covers too much",
        says="what was answered just after a backup was made is taken for a part of it",
        faults=("restore", "offline"),
        laws=frozenset({"I1", "I4"}),
        server=CoversItself,
        edits=("proposal", "phone", "access"),
    ),
    Bug(
        name="revoked is served",
        says="a revoked tablet is answered",
        faults=("revoke",),
        laws=frozenset({"law 5"}),
        server=RevokedServed,
    ),
    Bug(
        name="restore lets in again",
        says="who was revoked after the backup is served by the restored server",
        faults=("restore", "revoke"),
        laws=frozenset({"law 5"}),
        server=RevokedComesBack,
    ),
    Bug(
        name="unchecked is revoked",
        says="who cannot be checked is told that it is over",
        faults=("guard",),
        laws=frozenset({"I14"}),
        server=SaysRevoked,
    ),
    Bug(
        name="fails open",
        says="who cannot be checked is let in",
        faults=("guard",),
        laws=frozenset({"I14"}),
        server=FailsOpen,
    ),
)
