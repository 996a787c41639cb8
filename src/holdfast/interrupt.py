"""Control-C also stops what runs outside of Python: a database looks for signals between two pieces of work alone."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol, TypeVar
from weakref import WeakSet


class Interruptible(Protocol):
    """What another thread may stop, such as a connection with a query under way."""

    def interrupt(self) -> object:
        """Stop what runs; without anything that runs, do nothing."""


Kind = TypeVar("Kind", bound=Interruptible)
_under_way: WeakSet[Interruptible] = WeakSet()


def stoppable(connection: Kind) -> Kind:
    """The same, which Control-C stops from now on."""
    _under_way.add(connection)
    return connection


@contextmanager
def control_c_stops() -> Iterator[None]:
    """Within, Control-C reaches everything that is :func:`stoppable`; only the main thread can ask for it.

    The system writes the number of a signal to a socket at once, also while the main thread waits for a query.
    """
    heard, told = socket.socketpair()
    told.settimeout(0)

    def listen() -> None:
        while signals := heard.recv(64):
            if signal.SIGINT in signals:
                for each in list(_under_way):
                    with suppress(Exception):  # one that is closed by now
                        each.interrupt()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        told.close()
        listener.join()
        heard.close()
