"""What becomes of the work when two people meet on a server: four questions, each with its answer in a few words."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence

from bench.load import LANES, Doc, Peer, Refused, at_once, batches, everything, here, visits

SEED = 77
FOLLOWED = 2000
SMALL_BATCH = 10


def both_edits(peer: Peer) -> str:
    """Two people edit different fields of one document that both have seen."""
    doc = _new(peer, 1, SEED)[0]
    with peer.wire(0) as first, peer.wire(1) as second:
        mine, theirs = peer.edits(first, [doc], status="Done by one"), peer.edits(second, [doc], notes="Seen by two")
        peer.send(first, mine)
        try:
            peer.send(second, theirs)
        except Refused:
            return "2nd refused"
        kept = peer.status_of(_read(peer, doc)) == "Done by one", "Seen by two" in peer.notes_of(_read(peer, doc))
    return "both kept" if all(kept) else "one is lost"


def newer_edit(peer: Peer) -> str:
    """An answer is lost, somebody else writes, and the first push comes again."""
    doc = _new(peer, 1, SEED + 1)[0]
    with peer.wire(0) as first, peer.wire(1) as second:
        lost = peer.edits(first, [doc], status="Older")
        peer.send(first, lost)
        _read(peer, doc)
        peer.send(second, peer.edits(second, [doc], status="Newer"))
        with contextlib.suppress(Refused):
            peer.send(first, lost)
        return "newer stands" if peer.status_of(_read(peer, doc)) == "Newer" else "overwritten"


def follower(peer: Peer, count: int = FOLLOWED) -> str:
    """A reader follows its cursor while eight clients write."""
    seen: set[str] = set()
    missing = _write_beside(peer, visits(count, SEED + 2), lambda ids: seen.update(ids))
    lost = len(missing - seen)
    return f"{lost} missed" if lost else "misses nothing"


def acknowledged(peer: Peer, count: int = FOLLOWED) -> str:
    """What eight clients were told is stored is there for a reader who starts anew."""
    told = _write_beside(peer, visits(count, SEED + 3), None)
    with peer.wire() as wire:
        there = {peer.id_of(each) for documents, _ in everything(peer, wire) for each in documents}
    lost = len(told - there)
    return f"{lost} not stored" if lost else "all is stored"


ROWS: dict[str, Callable[..., str]] = {
    "two people, different fields of one document": both_edits,
    "the same push again after a newer edit": newer_edit,
    "a reader that follows eight writers": follower,
    "what was acknowledged": acknowledged,
}


def _new(peer: Peer, count: int, seed: int) -> list[Doc]:
    docs = visits(count, seed)
    with peer.wire() as wire:
        peer.push(wire, docs)
    return docs


def _read(peer: Peer, doc: Doc) -> object:
    """The document as a reader who starts anew finds it; the lanes have seen it too then."""
    wanted = peer.key_of(doc)
    with peer.wire() as wire:
        for documents, _ in everything(peer, wire):
            for each in documents:
                if peer.id_of(each) == wanted:
                    found = each
    peer.saw(found)
    return found


def _write_beside(peer: Peer, docs: Sequence[Doc], follow: Callable[[list[str]], None] | None) -> set[str]:
    """Push documents from eight clients, with a reader beside them or not; the ids that were acknowledged."""
    parts = batches(docs, SMALL_BATCH)
    told: list[set[str]] = [set() for _ in range(LANES)]
    done = threading.Event()

    def write(lane: int) -> None:
        with peer.wire(lane) as wire:
            for part in parts[lane::LANES]:
                peer.push(wire, part)
                told[lane] |= {peer.key_of(doc) for doc in part}

    def read() -> None:
        assert follow is not None
        with peer.wire() as wire:
            at, last = start, False
            while True:
                ended = done.is_set()
                for documents, cursor in everything(peer, wire, at):
                    follow([peer.id_of(each) for each in documents])
                    at = cursor
                if ended and last:
                    return
                last = ended
                time.sleep(0.002)

    with peer.wire() as wire:
        start = here(peer, wire)
    reader = threading.Thread(target=read)
    if follow is not None:
        reader.start()
    _, _, errors = at_once(LANES, write)
    done.set()
    if follow is not None:
        reader.join()
    if errors:
        raise RuntimeError(errors[0])
    return set().union(*told)
