"""A TCP proxy before a Kafka broker that cuts, holds, delays and loses what passes, at scripted or at random points.

It knows where a frame of the protocol begins and ends, and which call it is, and no more. Answers that tell clients
where a broker is are rewritten to tell the proxy's own port, so that no client finds a way around it.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from types import TracebackType
from typing import NamedTuple, Self

HOST = "127.0.0.1"
CALLS = {
    0: "Produce",
    1: "Fetch",
    2: "ListOffsets",
    3: "Metadata",
    10: "FindCoordinator",
    18: "ApiVersions",
    22: "InitProducerId",
    24: "AddPartitionsToTxn",
    26: "EndTxn",
}
LARGEST = 64 * 1024 * 1024
LOOK_S = 0.05


class Side(Enum):
    """Which way a frame goes."""

    REQUEST = "request"
    ANSWER = "answer"


class Frame(NamedTuple):
    """A frame that is about to be passed on."""

    call: str
    side: Side


class Fault(Enum):
    """What becomes of a frame, and of its connection."""

    CUT = "cut"  # half of it is passed on, then both ends are reset
    LOSE = "lose"  # nothing of it is passed on, and both ends are reset: of an answer, the work is done
    HALF_CLOSE = "half close"  # nothing of it, and no more of this direction; the other stays open
    HOLD = "hold"  # it waits until `release`
    DELAY = "delay"


Plan = Callable[[Frame], Fault | None]


class FaultProxy:
    """Stands before one broker, or before each of several; `bootstrap` is what clients are told."""

    def __init__(self, bootstrap: str, *, delay_s: float = 0.2) -> None:
        self._brokers = [int(address.rpartition(":")[2]) for address in bootstrap.split(",")]
        self._listeners = {port: socket.create_server((HOST, 0)) for port in self._brokers}
        self._ports = {port: listener.getsockname()[1] for port, listener in self._listeners.items()}
        self._plan: Plan = lambda _: None
        self._planning = threading.Lock()
        self._held = threading.Event()
        self._held.set()
        self._over = threading.Event()
        self._delay_s = delay_s
        self._open: set[socket.socket] = set()
        self.done: list[tuple[Frame, Fault]] = []

    @property
    def bootstrap(self) -> str:
        return ",".join(f"{HOST}:{port}" for port in self._ports.values())

    @property
    def ports(self) -> Mapping[int, int]:
        """The proxy's port of each broker's."""
        return self._ports

    def __enter__(self) -> Self:
        for port, listener in self._listeners.items():
            threading.Thread(target=self._accept, args=(port, listener), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._held.set()
        for listener in self._listeners.values():
            listener.close()
        for end in list(self._open):
            _reset(end)

    def plan(self, plan: Plan) -> None:
        """What happens from now on; the plan is asked for every frame, one at a time."""
        with self._planning:
            self._plan = plan

    def once(self, fault: Fault, call: str, side: Side) -> threading.Event:
        """One fault at the next such frame, and peace afterwards; the event is set when it has struck."""
        struck = threading.Event()

        def next_one(frame: Frame) -> Fault | None:
            if struck.is_set() or frame != Frame(call, side):
                return None
            struck.set()
            return fault

        if fault is Fault.HOLD:
            self._held.clear()
        self.plan(next_one)
        return struck

    def release(self) -> None:
        """Lets go what is held."""
        self._held.set()

    # One connection.

    def _accept(self, port: int, listener: socket.socket) -> None:
        while not self._over.is_set():
            with suppress(OSError):
                client, _ = listener.accept()
                try:
                    broker = socket.create_connection((HOST, port), timeout=5)
                except OSError:
                    client.close()
                    continue
                broker.settimeout(None)
                self._open |= {client, broker}
                calls: dict[int, str] = {}
                for source, target, side in ((client, broker, Side.REQUEST), (broker, client, Side.ANSWER)):
                    threading.Thread(target=self._pass_on, args=(source, target, side, calls), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, side: Side, calls: dict[int, str]) -> None:
        with suppress(OSError):
            while (frame := _read_frame(source)) is not None:
                what = Frame(_call_of(frame, side, calls), side)
                fault = self._asked(what)
                if fault is Fault.DELAY:
                    self._over.wait(self._delay_s * random.random())  # noqa: S311 - not a secret
                elif fault is Fault.HOLD:
                    while not self._held.wait(LOOK_S) and not self._over.is_set():
                        pass
                elif fault is Fault.HALF_CLOSE:
                    target.shutdown(socket.SHUT_WR)
                    return
                elif fault is not None:
                    if fault is Fault.CUT:
                        target.sendall(frame[: len(frame) // 2])
                    break
                target.sendall(self._readdressed(frame) if side is Side.ANSWER else frame)
        for end in (source, target):
            self._open.discard(end)
            _reset(end)

    def _asked(self, frame: Frame) -> Fault | None:
        with self._planning:
            fault = self._plan(frame)
            if fault is not None:
                self.done.append((frame, fault))
            return fault

    def _readdressed(self, frame: bytes) -> bytes:
        """An address is a host and a port of four bytes behind it, so that what comes out is as long as before."""
        for broker, own in self._ports.items():
            frame = frame.replace(HOST.encode() + struct.pack(">i", broker), HOST.encode() + struct.pack(">i", own))
        return frame


def at_random(chance: random.Random, share: float) -> Plan:
    """A fault of any kind at so many of all frames; none holds for ever."""
    kinds = (Fault.CUT, Fault.LOSE, Fault.HALF_CLOSE, Fault.DELAY, Fault.DELAY, Fault.DELAY)
    return lambda _: chance.choice(kinds) if chance.random() < share else None


def _call_of(frame: bytes, side: Side, calls: dict[int, str]) -> str:
    if side is Side.REQUEST:
        key, _, correlation = struct.unpack_from(">hhi", frame, 4)
        return calls.setdefault(correlation, CALLS.get(key, str(key)))
    (correlation,) = struct.unpack_from(">i", frame, 4)
    return calls.pop(correlation, "unknown")


def _read_frame(source: socket.socket) -> bytes | None:
    length = _read(source, 4)
    if length is None or not 0 < (size := struct.unpack(">i", length)[0]) < LARGEST:
        return None
    body = _read(source, size)
    return None if body is None else length + body


def _read(source: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = source.recv(size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _reset(end: socket.socket) -> None:
    """As when a machine vanishes: the other side gets an error and not an end."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        end.close()
