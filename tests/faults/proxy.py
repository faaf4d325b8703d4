"""A TCP proxy that does to a connection what bad networks do: for tests and benchmarks, against real servers.

    with FaultProxy(server.port, rate=4000, delay_s=0.3) as proxy:   # 32 kbit/s, 600 ms there and back
        client = OverHttp(proxy.url)
        proxy.next(Fault(cut_sent=700))            # the next connection ends when 700 bytes of requests have arrived
        proxy.next(Fault(cut_answer=0))            # the request takes effect, of its answer nothing comes back
        proxy.next(Fault(cut_sent=10, how="hang")) # half open, until `release`

Rate and delay are those of the one link that all connections share, each way; whoever waits longest is served next, so
that two busy connections get half each. A new connection costs a round trip before its first byte, as TCP's does.
Counts are of one connection: HTTP clients that keep connections open send several requests over one.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

How = Literal["close", "reset", "hang"]
PACKET = 512
"""Bytes that pass a slow link at a time; at 32 kbit/s one takes an eighth of a second."""
READ = 64 * 1024
WAITING = 256
"""Packets on the way at most; then the sender waits."""
RESET = struct.pack("ii", 1, 0)
PATIENCE_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What befalls one connection. Bytes are counted from its start, requests and answers apart."""

    cut_sent: int | None = None
    """So many bytes reach the server, then the connection ends; 0: none does."""
    cut_answer: int | None = None
    """So many bytes of answers reach the client; 0: the server has answered and nothing of it arrives."""
    how: How = "close"
    """How it ends: orderly, with a reset, or not at all: nothing moves any more until `release`."""
    slice: int | None = None
    """Bytes are handed on in pieces of at most this size, each in a packet of its own."""
    duplicate: bool = False
    """When the answer begins, all that the client has sent is sent to the server once more, on another connection."""


class _Link:
    """One direction of the link: when may the next bytes leave, and when do they arrive?"""

    def __init__(self, rate: float | None, delay_s: float, loss: float, rng: random.Random) -> None:
        self.rate, self.delay_s, self.loss, self.rng = rate, delay_s, loss, rng
        self.free_at = 0.0
        self.bytes = 0

    async def leave(self, size: int) -> float:
        """Wait until `size` bytes have left; the moment (of the loop's clock) at which they arrive."""
        self.bytes += size
        now = asyncio.get_running_loop().time()
        if self.rate is not None:
            self.free_at = max(now, self.free_at) + size / self.rate
            if self.free_at > now:
                await asyncio.sleep(self.free_at - now)
            now = max(now, self.free_at)
        # TCP sends again what was lost: to whoever reads a stream, loss is delay.
        lost = self.loss and self.rng.random() < self.loss
        return now + self.delay_s + (0.2 + 2 * self.delay_s if lost else 0.0)


class _Connection:
    """One connection through the proxy, with its fault."""

    def __init__(self, proxy: FaultProxy, fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.proxy, self.fault = proxy, fault
        self.client_reader, self.client_writer = reader, writer
        self.server_writer: asyncio.StreamWriter | None = None
        self.sent = bytearray() if proxy.record or fault.duplicate else None
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.ended = asyncio.Event()
        self.hung = False
        self.doubled = False

    async def run(self) -> None:
        try:
            reader, self.server_writer = await asyncio.open_connection("127.0.0.1", self.proxy.target)
        except OSError:
            self.end("reset")
            return
        here, there = self.client_writer, self.server_writer
        ways = [
            asyncio.create_task(self._carry(self.client_reader, there, self.proxy.up, self.fault.cut_sent, True)),
            asyncio.create_task(self._carry(reader, here, self.proxy.down, self.fault.cut_answer, False)),
        ]
        over = asyncio.create_task(self.ended.wait())
        both = asyncio.gather(*ways, return_exceptions=True)
        await asyncio.wait([over, both], return_when=asyncio.FIRST_COMPLETED)
        for task in (over, *ways):
            task.cancel()
        await asyncio.gather(over, both, return_exceptions=True)
        self.end("close")

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: _Link, cut: int | None, up: bool
    ) -> None:
        """One way: bytes leave when the link is free and are delivered, in order, when they arrive."""
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(WAITING)
        deliverer = asyncio.create_task(self._deliver(on_the_way, writer, cut, up))
        loop = asyncio.get_running_loop()
        # The handshake: nothing is sent before the other side has answered.
        earliest = loop.time() + 2 * link.delay_s if up else 0.0
        piece = min(self.fault.slice or READ, PACKET if link.rate is not None else READ)
        try:
            while data := await reader.read(READ):
                if up and self.sent is not None:
                    self.sent += data
                if earliest > loop.time():
                    await asyncio.sleep(earliest - loop.time())
                for start in range(0, len(data), piece):
                    part = data[start : start + piece]
                    await on_the_way.put((await link.leave(len(part)), part))
            await on_the_way.put((loop.time() + link.delay_s, b""))
            await deliverer
        except (ConnectionError, OSError):
            self.ended.set()
        finally:
            deliverer.cancel()

    async def _deliver(
        self, on_the_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, cut: int | None, up: bool
    ) -> None:
        loop = asyncio.get_running_loop()
        delivered = 0
        try:
            while True:
                due, data = await on_the_way.get()
                if due > loop.time():
                    await asyncio.sleep(due - loop.time())
                await self.go_on.wait()
                if not up and data and self.fault.duplicate and not self.doubled:
                    self.doubled = True
                    self.proxy._again(bytes(self.sent or b""))
                if not data:
                    if writer.can_write_eof():
                        writer.write_eof()
                    return
                if cut is not None and delivered + len(data) >= cut:
                    rest = data[cut - delivered :]
                    await self._write(writer, data[: cut - delivered])
                    if not await self._fail():
                        return
                    data, cut = rest, None
                await self._write(writer, data)
                delivered += len(data)
        except (ConnectionError, OSError):
            self.ended.set()

    async def _write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        size = self.fault.slice or len(data)
        for start in range(0, len(data), size or 1):
            writer.write(data[start : start + size])
            await writer.drain()
            if self.fault.slice:
                # Another packet, and another read of whoever receives it.
                await asyncio.sleep(0)

    async def _fail(self) -> bool:
        """End as the fault says; True when it was hung and goes on."""
        if self.fault.how == "hang":
            self.hung = True
            self.go_on.clear()
            self.proxy._hung.release()
            await self.go_on.wait()
            return True
        self.end(self.fault.how)
        return False

    def end(self, how: How) -> None:
        for writer in (self.client_writer, self.server_writer):
            if writer is None or writer.transport.is_closing():
                continue
            if how == "reset":
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                writer.transport.abort()
            else:
                writer.close()
        self.ended.set()


class FaultProxy:
    """Listens on `port` of this machine and hands on to port `target`. Use as a context manager.

    `rate`: bytes a second each way, None for no limit. `delay_s`: one way. `loss`: share of packets that need sending
    again, drawn with `seed`. `record`: keep what clients send, for `replay`.
    """

    def __init__(
        self,
        target: int,
        *,
        rate: float | None = None,
        delay_s: float = 0.0,
        loss: float = 0.0,
        seed: int = 1,
        record: bool = False,
    ) -> None:
        self.target = target
        self.record = record
        rng = random.Random(seed)
        self.up, self.down = _Link(rate, delay_s, loss, rng), _Link(rate, delay_s, loss, rng)
        self.always = Fault()
        """The fault of connections for which `next` has none."""
        self.connections = 0
        """How many connections were begun."""
        self.port = 0
        self._next: deque[Fault] = deque()
        self._live: set[_Connection] = set()
        self._streams: list[bytearray] = []
        self._repeats: set[asyncio.Task[bytes]] = set()
        self._hung = threading.Semaphore(0)
        self._refusing = self._holding = False
        self._listening: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sent(self) -> int:
        """Bytes of clients that have passed the link, over all connections."""
        return self.up.bytes

    @property
    def answered(self) -> int:
        """Bytes of the server that have passed the link, over all connections."""
        return self.down.bytes

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    def next(self, *faults: Fault) -> None:
        """Faults of the connections to come, one each, in this order."""
        self._next.extend(faults)

    def link(self, *, rate: float | None, delay_s: float) -> None:
        """The link is another from now on, for connections that are open too."""
        for way in (self.up, self.down):
            way.rate, way.delay_s, way.free_at = rate, delay_s, 0.0

    def refuse(self, refusing: bool = True) -> None:
        """No network: each new connection is reset, until it is taken back."""
        self._refusing = refusing

    def cut_all(self, how: How = "reset") -> None:
        """End all connections that are open now."""
        self._call(self._cut_all(how))

    def hold(self, holding: bool = True) -> None:
        """All connections, also new ones, are half open: nothing moves and nothing ends, until it is taken back."""
        self._call(self._hold(holding))

    def wait_hung(self, timeout_s: float = PATIENCE_S) -> bool:
        """Wait until a connection hangs that was not waited for yet."""
        return self._hung.acquire(timeout=timeout_s)

    def release(self) -> None:
        """What hangs goes on, with all that was held."""
        self._call(self._release())

    def sent_streams(self) -> list[bytes]:
        """What clients have sent so far, connection by connection. Needs `record`."""
        return [bytes(stream) for stream in self._streams]

    def replay(self) -> list[bytes]:
        """Send all that clients have sent once more, connection by connection; the server's answers. Needs `record`."""
        assert self.record, "the proxy was not told to record"
        return self._call(self._replay())

    def _call(self, todo: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(todo, self._loop).result(PATIENCE_S)

    async def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Small, so that what a slow link has not taken yet waits with its sender.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        listener.bind(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._listening = await asyncio.start_server(
            self._accept, sock=listener, limit=READ if self.up.rate is None else 8 * PACKET
        )

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        fault = self._next.popleft() if self._next and not self._refusing else self.always
        connection = _Connection(self, fault, reader, writer)
        if self._refusing:
            connection.end("reset")
            return
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._live.add(connection)
        if self._holding:
            connection.go_on.clear()
        if self.record and connection.sent is not None:
            self._streams.append(connection.sent)
        try:
            await connection.run()
        finally:
            self._live.discard(connection)

    async def _cut_all(self, how: How) -> None:
        for connection in list(self._live):
            connection.end(how)

    async def _hold(self, holding: bool) -> None:
        self._holding = holding
        for connection in self._live:
            (connection.go_on.clear if holding else connection.go_on.set)()

    async def _release(self) -> None:
        for connection in self._live:
            connection.go_on.set()

    async def _replay(self) -> list[bytes]:
        return [await self._send_again(bytes(stream)) for stream in self._streams if stream]

    def _again(self, stream: bytes) -> None:
        task = self._loop.create_task(self._send_again(stream))
        self._repeats.add(task)
        task.add_done_callback(self._repeats.discard)

    async def _send_again(self, stream: bytes) -> bytes:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.target)
            writer.write(stream)
            writer.write_eof()
            answer = await reader.read()
            writer.close()
            return answer
        except OSError:
            return b""

    async def _close(self) -> None:
        if self._listening is not None:
            self._listening.close()
        await self._cut_all("close")
        if self._repeats:
            await asyncio.wait(self._repeats, timeout=PATIENCE_S)
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if others:
            await asyncio.wait(others, timeout=PATIENCE_S)
