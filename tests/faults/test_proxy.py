"""The fault proxy itself: what each fault does to a connection, against a server that keeps what reaches it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.proxy import Fault, FaultProxy

REQUEST = bytes(range(97, 123)) * 4
ANSWER = b"0123456789" * 10


class Keeper:
    """Answers every connection with ANSWER once REQUEST is whole; keeps all bytes that reached it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.seen: list[bytearray] = []
        self.over = threading.Semaphore(0)
        self.arrived = threading.Condition()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.seen.append(bytearray())
            threading.Thread(target=self._one, args=(connection, self.seen[-1]), daemon=True).start()

    def _one(self, connection: socket.socket, seen: bytearray) -> None:
        with connection:
            try:
                while data := connection.recv(4096):
                    with self.arrived:
                        seen += data
                        self.arrived.notify_all()
                    if len(seen) % len(REQUEST) == 0:
                        connection.sendall(ANSWER)
            except OSError:
                pass
        self.over.release()

    def sees(self, expected: list[bytes]) -> bool:
        """Whether just this reaches it, soon or after a while."""
        with self.arrived:
            return self.arrived.wait_for(lambda: self.seen == expected, timeout=10)


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    found = Keeper()
    yield found
    found.listener.close()


def ask(proxy: FaultProxy, request: bytes = REQUEST, timeout_s: float = 10.0) -> bytes:
    """Send, say that it is all, read to the end. Raises ConnectionError or TimeoutError as a client would meet them."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout_s) as wire:
        wire.sendall(request)
        wire.shutdown(socket.SHUT_WR)
        found = b""
        while data := wire.recv(4096):
            found += data
        return found


def test_without_a_fault_all_arrives(keeper: Keeper) -> None:
    with FaultProxy(keeper.port) as proxy:
        assert ask(proxy) == ANSWER
        assert (proxy.connections, proxy.sent, proxy.answered) == (1, len(REQUEST), len(ANSWER))
    assert keeper.seen == [REQUEST]


@pytest.mark.parametrize("cut", [0, 1, 50, len(REQUEST) - 1, len(REQUEST)])
def test_a_request_is_cut_at_a_byte(keeper: Keeper, cut: int) -> None:
    with FaultProxy(keeper.port) as proxy:
        proxy.next(Fault(cut_sent=cut))
        assert ask(proxy) == b""
        assert keeper.over.acquire(timeout=10)
        assert ask(proxy) == ANSWER
    assert keeper.seen == [REQUEST[:cut], REQUEST]


@pytest.mark.parametrize("cut", [0, 1, 99])
def test_an_answer_is_cut_at_a_byte_and_the_request_has_arrived(keeper: Keeper, cut: int) -> None:
    with FaultProxy(keeper.port) as proxy:
        proxy.next(Fault(cut_answer=cut))
        assert ask(proxy) == ANSWER[:cut]
    assert keeper.seen == [REQUEST]


def test_a_connection_is_reset(keeper: Keeper) -> None:
    with FaultProxy(keeper.port) as proxy:
        proxy.next(Fault(cut_answer=0, how="reset"))
        with pytest.raises(ConnectionResetError):
            ask(proxy)


def test_a_connection_hangs_until_it_is_released(keeper: Keeper) -> None:
    with FaultProxy(keeper.port) as proxy:
        proxy.next(Fault(cut_sent=10, how="hang"))
        answers: list[bytes] = []
        slow = threading.Thread(target=lambda: answers.append(ask(proxy)))
        slow.start()
        assert proxy.wait_hung()
        assert ask(proxy) == ANSWER
        assert keeper.sees([REQUEST[:10], REQUEST]), keeper.seen
        proxy.release()
        slow.join(10)
        assert answers == [ANSWER]
    assert keeper.seen == [REQUEST, REQUEST]


def test_what_was_sent_is_sent_twice(keeper: Keeper) -> None:
    with FaultProxy(keeper.port) as proxy:
        proxy.next(Fault(duplicate=True))
        assert ask(proxy) == ANSWER
    assert keeper.seen == [REQUEST, REQUEST]


def test_what_was_sent_is_replayed_later(keeper: Keeper) -> None:
    with FaultProxy(keeper.port, record=True) as proxy:
        ask(proxy)
        ask(proxy, REQUEST * 2)
        assert proxy.replay() == [ANSWER, ANSWER]
    assert [len(seen) for seen in keeper.seen] == [len(REQUEST) * times for times in (1, 2, 1, 2)]


def test_there_is_no_network_while_it_refuses(keeper: Keeper) -> None:
    with FaultProxy(keeper.port) as proxy:
        proxy.refuse()
        with pytest.raises(ConnectionError):
            ask(proxy)
        proxy.refuse(False)
        assert ask(proxy) == ANSWER
    assert keeper.seen == [REQUEST]


def test_open_connections_are_cut_together(keeper: Keeper) -> None:
    with FaultProxy(keeper.port) as proxy:
        wires = [socket.create_connection(("127.0.0.1", proxy.port), 10) for _ in range(3)]
        for wire in wires:
            wire.sendall(REQUEST)
            assert wire.recv(4096)
        proxy.cut_all()
        for wire in wires:
            with wire, pytest.raises(ConnectionResetError):
                wire.recv(4096)


def test_slices_arrive_whole(keeper: Keeper) -> None:
    with FaultProxy(keeper.port) as proxy:
        proxy.next(Fault(slice=1))
        assert ask(proxy) == ANSWER


def test_rate_and_delay_are_those_of_one_link(keeper: Keeper) -> None:
    """A handshake of 0.2 s, 416 bytes at 4,000 a second and 0.1 s there, 100 bytes and 0.1 s back: 0.53 s."""
    with FaultProxy(keeper.port, rate=4000, delay_s=0.1) as proxy:
        started = time.monotonic()
        ask(proxy, REQUEST * 4)
        took = time.monotonic() - started
    assert took >= 0.5


def test_two_busy_connections_share_the_link(keeper: Keeper) -> None:
    """20 kB and 2 kB: when the small one has its answer, about twice its 2 kB have passed, not the whole queue."""
    with FaultProxy(keeper.port, rate=40_000) as proxy:
        big = threading.Thread(target=ask, args=(proxy, REQUEST * 200))
        big.start()
        while proxy.sent < 2000:
            pass
        before = proxy.sent
        ask(proxy, REQUEST * 20)
        passed = proxy.sent - before
        big.join(10)
    assert passed < 0.6 * len(REQUEST * 200)


def test_lost_packets_come_late_and_in_order(keeper: Keeper) -> None:
    with FaultProxy(keeper.port, rate=400_000, delay_s=0.01, loss=0.2, seed=7) as proxy:
        ask(proxy, REQUEST * 40)
    assert keeper.seen == [REQUEST * 40]
