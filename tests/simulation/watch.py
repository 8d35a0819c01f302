"""Shows a recording of lean-sim (--record) in a browser: the page of a beacon, as it was during the run.

Serves the page's own files, and answers its requests and its event stream from the recording, at a chosen speed.
Each node of the recording has an address of its own, which is printed.
"""

import argparse
import bisect
import http.server
import json
import pathlib
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "beacon/http/page"
API = "/lean/v0"
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
# The stream of a browser that has gone is noticed when something is written to it.
KEEP_ALIVE_S = 5


class Recording:
    """What one node's page got: the lines of a file of NodeRecorder (tests/simulation/record/node_recorder.h)."""

    def __init__(self, path):
        with path.open(encoding="utf-8") as file:
            self.lines = [json.loads(line) for line in file]
        self.times = [line["at"] for line in self.lines]
        self.headers = {}
        for line in self.lines:
            self.headers.update(line.get("header", {}))
        self._answers = [index for index, line in enumerate(self.lines) if "answers" in line]
        self.slot_ms = json.loads(self.lines[self._answers[0]]["answers"]["/config/spec"])["MILLISECONDS_PER_SLOT"]

    def place_at(self, now):
        """The index after the last line that has happened at `now`."""
        return bisect.bisect_right(self.times, now)

    def loaded_at(self, now):
        """The index of the newest answers; None while the beacon was down."""
        for index in range(self.place_at(now) - 1, -1, -1):
            if "down" in self.lines[index]:
                return None
            if "answers" in self.lines[index]:
                return index
        return None

    def violation(self):
        return self.lines[-1].get("violation")


class Replay:
    """The time of a recording: milliseconds since genesis that pass `speed` times as fast as ours."""

    def __init__(self, begin_ms, speed):
        self.speed = speed
        self.genesis_s = time.time() - begin_ms / 1000 / speed  # ours, when slot 0 begins

    def now(self):
        return (time.time() - self.genesis_s) * 1000 * self.speed

    def sleep_until(self, at):
        time.sleep(max(0.0, min(KEEP_ALIVE_S, (at - self.now()) / 1000 / self.speed)))


class Handler(http.server.BaseHTTPRequestHandler):
    """One node's addresses."""

    recording: Recording
    replay: Replay

    def do_GET(self):  # the name that BaseHTTPRequestHandler calls
        path = self.path.partition("?")[0]
        try:
            if not path.startswith(API):
                self._send_file(path)
            elif path == f"{API}/events":
                self._stream()
            else:
                self._answer(path.removeprefix(API))
        except (BrokenPipeError, ConnectionResetError):
            pass  # the browser has gone

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def _send(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def _fail(self, status, message):
        self._send(status, "application/json", json.dumps({"error": message}).encode())

    def _send_file(self, path):
        files = {f"/page/{file.name}": file for file in PAGE.iterdir() if file.suffix in TYPES}
        files["/"] = PAGE / "index.html"
        if path not in files:
            self._fail(404, "no such page")
            return
        self._send(200, TYPES[files[path].suffix], files[path].read_bytes())

    def _answer(self, path):
        place = self.recording.loaded_at(self.replay.now())
        if place is None:
            self._fail(503, "the beacon was down")
            return
        answers = self.recording.lines[place]["answers"]
        body = answers.get(path, self.recording.headers.get(path))
        if body is None:
            self._fail(404, "not recorded")
            return
        if path == "/genesis":
            body = json.dumps({**json.loads(body), "genesis_time": self.replay.genesis_s})
        if path == "/config/spec":
            body = json.dumps({**json.loads(body), "MILLISECONDS_PER_SLOT": self.recording.slot_ms / self.replay.speed})
        self._send(200, "application/json", body.encode())

    def _stream(self):
        """The events since the newest answers, which the page loads, and then each when its time comes."""
        place = self.recording.loaded_at(self.replay.now())
        if place is None:
            self._fail(503, "the beacon was down")
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        while True:
            end = self.recording.place_at(self.replay.now())
            for line in self.recording.lines[place:end]:
                if "down" in line:
                    return
                self.wfile.write(line.get("events", "").encode())
            if end == place:
                self.wfile.write(b": nothing new\n\n")
            self.wfile.flush()
            place = end
            later = self.recording.times[place] if place < len(self.recording.times) else float("inf")
            self.replay.sleep_until(later)


def serve(recording, replay, port):
    """A server of one node, which runs until the process ends."""
    handler = type("NodeHandler", (Handler,), {"recording": recording, "replay": replay})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="of lean-sim --record")
    parser.add_argument("--speed", type=float, default=4, help="times as fast as the run's own clocks; default: 4")
    parser.add_argument("--from-slot", type=float, default=0, metavar="N", help="where to begin; default: 0")
    parser.add_argument("--port", type=int, default=5078, help="of the first node; 0: any. Default: 5078")
    arguments = parser.parse_args()
    files = sorted(arguments.folder.glob("node-*.jsonl"), key=lambda file: int(file.stem.partition("-")[2]))
    if not files:
        parser.error(f"{arguments.folder} has no recording")
    if not 0.01 <= arguments.speed <= 1000:
        parser.error("--speed: expected 0.01 to 1000")
    recordings = [Recording(file) for file in files]
    replay = Replay(arguments.from_slot * recordings[0].slot_ms, arguments.speed)
    for index, (file, recording) in enumerate(zip(files, recordings)):
        port = serve(recording, replay, arguments.port and arguments.port + index)
        print(f"{file.stem}: http://127.0.0.1:{port}/", flush=True)
    end = max(recording.times[-1] for recording in recordings)
    while replay.now() < end:
        replay.sleep_until(end)
    print(f"the recording ends; violation: {recordings[0].violation() or 'none'}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
