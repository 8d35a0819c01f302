"""`slow_clients.py HOST:PORT COUNT`: COUNT clients of an HTTP server that each send a byte of a request header in every
second, and connect again when they are closed; and as many readers of the server's event stream as it admits, which
never read. Prints "ready" when all have connected once. Runs until it is killed: a separate process because of its
descriptors."""

import errno
import resource
import socket
import sys
import time

EVENT_READERS = 16
HEADER = b"GET /lean/v0/head HTTP/1.1\r\nHost: slow\r\nX-Padding: " + b"x" * 6000
PERIOD_S = 1


class SlowClient:
    def __init__(self, address):
        self._address = address
        self.connect()

    def connect(self):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.sent = 0
        error = self.socket.connect_ex(self._address)
        if error not in (0, errno.EINPROGRESS):
            raise OSError(error, "connect")

    def send(self):
        """Sends one byte. Connects again if the server has closed the connection."""
        try:
            self.sent += self.socket.send(HEADER[self.sent:self.sent + 1])
            self.socket.recv(100)
            closed = True  # by an end or by an answer
        except BlockingIOError:
            closed = False
        except OSError:
            closed = True
        if closed:
            self.socket.close()
            self.connect()


def main():
    host, port = sys.argv[1].split(":")
    address = (host, int(port))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    readers = []
    for _ in range(EVENT_READERS):
        reader = socket.create_connection(address)
        reader.sendall(b"GET /lean/v0/events?topics=attestation,head,block HTTP/1.1\r\n\r\n")
        readers.append(reader)
    clients = [SlowClient(address) for _ in range(int(sys.argv[2]))]
    print("ready", flush=True)
    while True:
        begun = time.monotonic()
        for client in clients:
            client.send()
        time.sleep(max(0, PERIOD_S - (time.monotonic() - begun)))


if __name__ == "__main__":
    main()
