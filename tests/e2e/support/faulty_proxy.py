"""A TCP proxy in front of a beacon, which behaves as badly as a test wants."""

import os
import queue
import socket
import threading
import time

from leandev import network

PASS = "pass"
REFUSE = "refuse"  # nothing listens
HANG = "hang"  # takes connections and requests, never answers
GARBAGE = "garbage"  # answers with random bytes


class FaultyProxy:
    """Forwards connections on `port` to `target`, (host, port), while its mode is PASS."""

    def __init__(self, port, target, bytes_per_second=None, delay_s=0):
        """`bytes_per_second`: how fast what the target says is passed on; as it comes when not given. `delay_s`: how
        much later everything arrives, either way."""
        self._bytes_per_second = bytes_per_second
        self._delay_s = delay_s
        self._address = ("127.0.0.1", port)
        self._lock = threading.Lock()
        self._target = target
        self._mode = REFUSE
        self._listener = None
        self._sockets = set()

    @property
    def address(self):
        return f"{self._address[0]}:{self._address[1]}"

    def become(self, mode, target=None):
        """Changes the mode, and the target if one is given. Connections end, but those of a beacon that hangs stay
        open."""
        with self._lock:
            self._mode = mode
            self._target = target or self._target
            if mode != HANG:
                for end in self._sockets:
                    _shut(end)
                self._sockets.clear()
        if mode == REFUSE:
            self._close_listener()
        elif self._listener is None:
            self._listener = socket.create_server(self._address)
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self):
        self.become(REFUSE)

    def _close_listener(self):
        if self._listener is not None:
            _shut(self._listener)  # wakes the thread that accepts
            self._listener.close()
            self._listener = None

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._sockets.add(near)
            threading.Thread(target=self._serve_and_close, args=(near,), daemon=True).start()

    def _serve_and_close(self, near):
        with near:
            self._serve(near)

    def _serve(self, near):
        if self._mode == GARBAGE:
            _send(near, os.urandom(4096))
            _receive(near)
            return
        if self._mode == HANG:
            _drain(near)
            return
        try:
            far = socket.create_connection(self._target)
        except OSError:
            return
        with self._lock:
            self._sockets.add(far)
        with far:
            answers = threading.Thread(target=self._pump, args=(far, near, self._bytes_per_second), daemon=True)
            answers.start()
            self._pump(near, far)
            answers.join()

    def _pump(self, source, sink, bytes_per_second=None):
        late = queue.SimpleQueue()
        if self._delay_s:
            threading.Thread(target=self._delay, args=(source, late), daemon=True).start()
        while True:
            data = _arrived(late) if self._delay_s else _receive(source)
            if bytes_per_second:
                time.sleep(len(data) / bytes_per_second)
            # What comes while it hangs is swallowed.
            if self._mode == HANG and data:
                continue
            if not data or not _send(sink, data):
                _shut(sink)
                _shut(source)
                return


    def _delay(self, source, late):
        while True:
            data = _receive(source)
            late.put((time.monotonic() + self._delay_s, data))
            if not data:
                return


def proxy_to(test, address, bytes_per_second=None, delay_s=0):
    """A proxy before HOST:PORT that lets everything pass, until the test ends."""
    host, port = address.split(":")
    proxy = FaultyProxy(network.free_port(), (host, int(port)), bytes_per_second, delay_s)
    proxy.become(PASS)
    test.addCleanup(proxy.close)
    return proxy


def _arrived(late):
    due, data = late.get()
    time.sleep(max(0, due - time.monotonic()))
    return data


def _receive(source):
    try:
        return source.recv(65536)
    except OSError:
        return b""


def _send(sink, data):
    try:
        sink.sendall(data)
        return True
    except OSError:
        return False


def _drain(source):
    while _receive(source):
        pass


def _shut(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
