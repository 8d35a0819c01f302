"""A link in front of a network engine. A test can block, slow down or delay its UDP traffic."""

import heapq
import itertools
import select
import socket
import threading
import time

from leandev import network

# Datagrams that wait in each direction of a slow link; more are lost, as in a router.
QUEUE_BYTES = 96 * 1024
MAX_DATAGRAM = 65536


class _Lane:
    """One direction: when its next datagram arrives."""

    def __init__(self, bytes_per_second, delay_s):
        self.bytes_per_second = bytes_per_second
        self._delay_s = delay_s
        self._free_at = 0.0  # when what it has taken has left

    def arrival(self, size, now):
        """The time at which a datagram that is sent now arrives. None: it is lost."""
        rate = self.bytes_per_second
        if rate is None:
            return now + self._delay_s
        begins = max(now, self._free_at)
        if (begins - now) * rate > QUEUE_BYTES:
            return None
        self._free_at = begins + size / rate
        return self._free_at + self._delay_s


class UdpLink:
    """Forwards datagrams between senders to `port` and `target`, (host, port), until close()."""

    def __init__(self, port, target, bytes_per_second=None, delay_s=0):
        """`bytes_per_second`: rate at which the target's datagrams are forwarded; unlimited if not given. `delay_s`:
        delay in both directions."""
        self.port = port
        self._target = target
        self._cut = False
        self._near = socket.socket(type=socket.SOCK_DGRAM)
        self._near.bind(("127.0.0.1", port))
        self._wake, self._woken = socket.socketpair()
        self._far = {}  # by who sends: the socket that sends to the target for it
        self._senders = {}  # the other way round
        self._late = []  # (arrival, number, socket, data, address)
        self._numbers = itertools.count()
        self._lanes = {True: _Lane(bytes_per_second, delay_s), False: _Lane(None, delay_s)}  # by: from the target
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self):
        """Drops everything from now on, in both directions, silently."""
        self._cut = True

    def mend(self):
        self._cut = False

    def set_rate(self, bytes_per_second):
        """The rate from now on; None: unlimited."""
        self._lanes[True].bytes_per_second = bytes_per_second

    def close(self):
        self._wake.close()
        self._thread.join()
        for end in (self._near, self._woken, *self._senders):
            end.close()

    def _run(self):
        while True:
            timeout = max(0, self._late[0][0] - time.monotonic()) if self._late else None
            ready, _, _ = select.select([self._near, self._woken, *self._senders], [], [], timeout)
            if self._woken in ready:
                return
            now = time.monotonic()
            for end in ready:
                self._take(end, now)
            while self._late and self._late[0][0] <= now:
                _, _, end, data, address = heapq.heappop(self._late)
                self._send(end, data, address)

    def _take(self, end, now):
        try:
            data, sender = end.recvfrom(MAX_DATAGRAM)
        except OSError:  # nobody listens at the target
            return
        if self._cut:
            return
        if end is self._near:
            out, address = self._far_end(sender), self._target
        else:
            out, address = self._near, self._senders[end]
        arrival = self._lanes[end is not self._near].arrival(len(data), now)
        if arrival is None:
            return
        if arrival <= now:
            self._send(out, data, address)
        else:
            heapq.heappush(self._late, (arrival, next(self._numbers), out, data, address))

    def _far_end(self, sender):
        if sender not in self._far:
            end = self._far[sender] = socket.socket(type=socket.SOCK_DGRAM)
            self._senders[end] = sender
        return self._far[sender]

    @staticmethod
    def _send(end, data, address):
        try:
            end.sendto(data, address)
        except OSError:  # likewise
            pass


def link_to(test, number, bytes_per_second=None, delay_s=0):
    """A link before the engine of beacon `number` of a test's network, until the test ends, and the multiaddr by which
    others dial that engine over it."""
    host, port = test.network.places[number].announce.rsplit(":", 1)
    link = UdpLink(network.free_port(), (host, int(port)), bytes_per_second, delay_s)
    test.addCleanup(link.close)
    return link, test.network.dial_address(number).replace(f"/udp/{port}/", f"/udp/{link.port}/")
