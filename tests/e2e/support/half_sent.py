"""A client that speaks HTTP/2 over a raw socket, and begins calls whose requests it never sends whole."""

import socket
import struct
import threading

from http2_flood import ACK, DATA, END_HEADERS, HEADERS, PING, SETTINGS, WINDOW_UPDATE, frame

RST_STREAM = 3
HEAD_BYTES = 9
INITIAL_WINDOW = 65535
INITIAL_WINDOW_SIZE = 4  # the setting
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_BYTES = 16384
# As of rpc::kMaxMessageBytes.
REQUEST_BYTES = 16 << 20


def _text(text):
    return bytes([len(text)]) + text.encode()


def _headers(path):
    # Of HPACK, RFC 7541: POST, http, then fields that enter no table.
    return (b"\x83\x86\x04" + _text(path) + b"\x01" + _text("localhost") + b"\x00" + _text("content-type") +
            _text("application/grpc") + b"\x00" + _text("te") + _text("trailers"))


class HalfSentCalls:
    """One connection with so many calls, each of a request of the largest size that lacks its last byte. The server has
    taken `sent` bytes, and ended `ended` calls: all of them when it closed the connection."""

    def __init__(self, address, path, calls):
        host, port = address.split(":")
        self.sent = 0
        self.ended = 0
        self._socket = socket.create_connection((host, int(port)))
        self._sending = threading.Lock()
        self._ready = threading.Condition()
        self._window = INITIAL_WINDOW
        self._initial = INITIAL_WINDOW
        self._granted = {1 + 2 * number: 0 for number in range(calls)}  # by the server, beyond the initial window
        self._left = {stream: REQUEST_BYTES + 5 - 1 for stream in self._granted}
        self._closed = False
        hello = PREFACE + frame(SETTINGS, 0, 0)
        for stream in self._granted:
            hello += frame(HEADERS, END_HEADERS, stream, _headers(path))
            hello += frame(DATA, 0, stream, b"\x00" + struct.pack(">I", REQUEST_BYTES))
            self._took(stream, 5)
        self._socket.sendall(hello)
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._write, daemon=True).start()

    def close(self):
        self._closed = True
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def _send(self, data):
        with self._sending:
            self._socket.sendall(data)

    def _took(self, stream, size):
        self._window -= size
        self._granted[stream] -= size
        self._left[stream] -= size
        self.sent += size

    def _next(self):
        """(stream, bytes) that may be sent now."""
        for stream, left in self._left.items():
            size = min(FRAME_BYTES, left, self._window, self._initial + self._granted[stream])
            if size > 0:
                return stream, size
        return None

    def _write(self):
        try:
            while not self._closed:
                with self._ready:
                    self._ready.wait_for(lambda: self._closed or self._next() is not None)
                    if self._closed:
                        return
                    stream, size = self._next()
                    self._took(stream, size)
                self._send(frame(DATA, 0, stream, bytes(size)))
        except OSError:
            self._end()

    def _read(self):
        try:
            while True:
                head = self._exactly(HEAD_BYTES)
                payload = self._exactly(int.from_bytes(head[:3], "big"))
                self._on_frame(head[3], head[4], int.from_bytes(head[5:], "big"), payload)
        except OSError:
            self._end()

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            more = self._socket.recv(size - len(data))
            if not more:
                raise OSError("closed")
            data += more
        return data

    def _on_frame(self, kind, flags, stream, payload):
        if kind in (SETTINGS, PING) and not flags & ACK:
            self._send(frame(kind, ACK, 0, payload if kind == PING else b""))
        with self._ready:
            if kind == SETTINGS:
                for at in range(0, len(payload), 6):
                    name, value = struct.unpack(">HI", payload[at:at + 6])
                    if name == INITIAL_WINDOW_SIZE:
                        self._initial = value
            elif kind == WINDOW_UPDATE:
                more = int.from_bytes(payload, "big")
                if stream == 0:
                    self._window += more
                elif stream in self._granted:
                    self._granted[stream] += more
            elif kind == RST_STREAM and stream in self._left:
                del self._left[stream]
                self.ended += 1
            self._ready.notify_all()

    def _end(self):
        with self._ready:
            self.ended += len(self._left)
            self._left.clear()
            self._closed = True
            self._ready.notify_all()
