"""A server in memory, made of the same pure core as the real one: a disk, a feed, a judge, a door.

It keeps what matters about durability: a commit reaches the operating system first and the disk with the sync that
follows; a process that dies loses its open transaction, a power cut also what was not synced.
"""

from sync.simulator.memory.server import MemoryServer

__all__ = ["MemoryServer"]
