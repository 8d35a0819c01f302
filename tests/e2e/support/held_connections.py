"""`held_connections.py HOST:PORT COUNT`: opens COUNT TCP connections from 100 addresses of this machine, sends nothing
on them, prints their number and holds them until it is killed. It is a separate process because of its descriptors."""

import resource
import socket
import sys
import threading

ADDRESSES = 100
PATIENCE_S = 120


def main():
    host, port = sys.argv[1].split(":")
    count = int(sys.argv[2])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = []
    for number in range(count):
        connection = socket.socket()
        connection.settimeout(PATIENCE_S)
        connection.bind((f"127.0.0.{2 + number % ADDRESSES}", 0))
        connection.connect((host, int(port)))
        held.append(connection)
    print(len(held), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
