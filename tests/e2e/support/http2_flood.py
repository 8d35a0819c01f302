"""A server that sends HTTP/2 frames over a raw socket without end. Calls to it get no answer.

As a program, `http2_flood.py KIND` prints its port on 127.0.0.1 and serves until it is killed. It is a separate process
because it keeps a core busy.
"""

import socket
import struct
import sys
import threading

# Types and flags of frames (RFC 9113).
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 4, 6, 8, 9
ACK, END_HEADERS = 1, 4
PREFACE_BYTES = 24
HEAD_BYTES = 9

# HPACK (RFC 7541): ":status: 200", and fields that are not indexed.
STATUS_200 = b"\x88"
CONTENT_TYPE = b"\x00\x0ccontent-type\x10application/grpc"
FIELDS = (b"\x00\x05x-abc\x64" + b"v" * 100) * 120


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


# The frames sent once when a call begins on a stream, and those sent without end afterwards.
KINDS = {
    "silence": lambda stream: (b"", b""),
    "headers": lambda stream: (b"", frame(HEADERS, END_HEADERS, stream, FIELDS) * 64),
    "trailers": lambda stream: (answer_begins(stream), frame(HEADERS, END_HEADERS, stream, FIELDS) * 64),
    "continuation": lambda stream: (frame(HEADERS, 0, stream, STATUS_200), frame(CONTINUATION, 0, stream, FIELDS) * 64),
    "empty_continuation": lambda stream: (frame(HEADERS, 0, stream, STATUS_200), frame(CONTINUATION, 0, stream) * 65536),
    "data": lambda stream: (answer_begins(stream), frame(DATA, 0, stream, b"\x00\x00\xff\xff\xff" + bytes(16000)) * 64),
    "empty_data": lambda stream: (answer_begins(stream), frame(DATA, 0, stream) * 65536),
    "pings": lambda stream: (b"", frame(PING, 0, 0, bytes(8)) * 65536),
    "settings": lambda stream: (b"", frame(SETTINGS, 0, 0) * 65536),
    "window_updates": lambda stream: (b"", frame(WINDOW_UPDATE, 0, 0, b"\x00\x00\x00\x01") * 65536),
    "unknown": lambda stream: (b"", frame(0x42, 0, 0, bytes(16384)) * 64),
}


def answer_begins(stream):
    return frame(HEADERS, END_HEADERS, stream, STATUS_200 + CONTENT_TYPE)


def _exactly(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise OSError("closed")
        data += more
    return data


def _stream_of_first_call(connection):
    _exactly(connection, PREFACE_BYTES)
    while True:
        head = _exactly(connection, HEAD_BYTES)
        _exactly(connection, int.from_bytes(head[:3], "big"))
        if head[3] == HEADERS:
            return int.from_bytes(head[5:9], "big")


def _drain(connection):
    try:
        while connection.recv(1 << 16):
            pass
    except OSError:
        pass


def _serve(connection, kind):
    with connection:
        try:
            connection.sendall(frame(SETTINGS, 0, 0) + frame(SETTINGS, ACK, 0))
            once, without_end = KINDS[kind](_stream_of_first_call(connection))
            # Reads what the client sends, so that the client never waits.
            threading.Thread(target=_drain, args=(connection,), daemon=True).start()
            connection.sendall(once)
            while without_end:
                connection.sendall(without_end)
            threading.Event().wait()
        except OSError:
            pass  # the client has closed it


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve, args=(connection, sys.argv[1]), daemon=True).start()


if __name__ == "__main__":
    main()
