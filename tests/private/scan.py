"""Runs as a script, wherever it is sent: which TCP ports of an address answer. Needs Python's standard library only."""

from __future__ import annotations

import errno
import resource
import select
import socket
import sys
import time

BATCH = 16000
PATIENCE = 0.5


def scan(address: str, ports: range) -> list[int]:
    """The ports on which a connection is accepted; half a second without an answer counts as none."""
    found: list[int] = []
    for first in range(ports.start, ports.stop, BATCH):
        found += _batch(address, range(first, min(first + BATCH, ports.stop)))
    return found


def _batch(address: str, ports: range) -> list[int]:
    poller, waiting, found = select.epoll(), {}, []
    for port in ports:
        connection = socket.socket()
        connection.setblocking(False)
        code = connection.connect_ex((address, port))
        if code == 0:
            found.append(port)
        if code != errno.EINPROGRESS:
            connection.close()
            continue
        waiting[connection.fileno()] = (port, connection)
        poller.register(connection, select.EPOLLOUT | select.EPOLLERR | select.EPOLLHUP)
    deadline = time.monotonic() + PATIENCE
    while waiting and (left := deadline - time.monotonic()) > 0:
        for number, _ in poller.poll(left):
            port, connection = waiting.pop(number)
            if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                found.append(port)
            poller.unregister(number)
            connection.close()
    for _, connection in waiting.values():
        connection.close()
    poller.close()
    return found


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    for target in sys.argv[1:]:
        print(target, *scan(target, range(1, 65536)))
