"""A port of this machine for a server that a test starts."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_port() -> Iterator[int]:
    """A free port of the loopback interface, which nobody else gets while the block lasts.

    On Linux it stays bound, but does not listen: the system gives it to no one who asks for any
    free port, and a server that sets SO_REUSEADDR, as servers do, can bind it by its number.
    """
    with socket.socket() as holder:
        if sys.platform == "linux":
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port = int(holder.getsockname()[1])
        if sys.platform != "linux":
            holder.close()
        yield port
