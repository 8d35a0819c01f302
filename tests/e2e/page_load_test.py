"""How smooth the page is with 4,096 validators and 1,000 blocks that are not finalized.

A server of this test has the page's files and answers as a beacon of such a network does (docs/http.md), because the
browser is measured and nothing else. The figure is meaningful on a quiet machine.
"""

import hashlib
import http.server
import json
import pathlib
import threading
import time
import unittest

import browser
import e2e
from leandev.processes import wait_until

VALIDATORS = 4096
BLOCKS = 1000
SLOTS = 64
VOTES_AT_ONCE = 256
SLOTS_OF_VOTES = 3
MOST_TASK_MS = 50
PAGE = pathlib.Path(e2e.ROOT, "beacon", "http", "page")
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}


def root_of(slot):
    return "0x" + hashlib.sha256(str(slot).encode()).hexdigest()


def parent_of(slot):
    """Every tenth block is a branch of one block."""
    parent = slot - 1
    return parent - 1 if parent % 10 == 9 else parent


class Beacon:
    """Its answers. The newest block is of slot BLOCKS + 1, and the votes name it."""

    def __init__(self):
        self.genesis_time = int(time.time()) - 4 * (BLOCKS + 1)
        self._streams = []
        self._number = 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def block(self, slot):
        return {
            "root": root_of(slot), "slot": slot, "parent_root": root_of(parent_of(slot)), "proposer_index": slot % VALIDATORS,
            "weight": 0
        }

    def answer(self, path):
        checkpoint = {"slot": 1, "root": root_of(1)}
        if path.endswith("/header"):
            slot = next(slot for slot in range(BLOCKS, 2 * BLOCKS) if root_of(slot) in path)
            return {**self.block(slot), "state_root": root_of("state"), "body_root": root_of("body")}
        return {
            "/config/spec": {"MILLISECONDS_PER_SLOT": 4000, "INTERVALS_PER_SLOT": 4},
            "/genesis": {"genesis_time": self.genesis_time, "validator_count": VALIDATORS},
            "/node/identity": {"version": "lean-beacon/v0", "peer_id": ""},
            "/fork_choice": {
                "nodes": [self.block(slot) for slot in range(1, BLOCKS + 1)], "head": root_of(BLOCKS), "justified": checkpoint,
                "finalized": checkpoint, "safe_target": root_of(BLOCKS - 1), "validator_count": VALIDATORS
            },
            "/fork_choice/votes": {
                "votes": [{"slot": BLOCKS, "head": {"slot": BLOCKS, "root": root_of(BLOCKS)}, "validators": f"0-{VALIDATORS - 1}"}]
            },
            "/participation": {
                "slots": [{"slot": slot, "votes": VALIDATORS, "validators": f"0-{VALIDATORS - 1}"}
                          for slot in range(BLOCKS - SLOTS, BLOCKS + 1)]
            },
            "/node/syncing": {"is_syncing": False, "head_slot": BLOCKS, "sync_distance": 0, "finalized_slot": 1},
            "/node/peers": [{"peer_id": "16Uiu2HAm", "state": "disconnected", "direction": "inbound", "address": "/ip4/127.0.0.1"}],
        }[path]

    def _handler(self):
        beacon = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

            def do_GET(self):  # pylint: disable=invalid-name
                path = self.path.partition("?")[0]
                if path == "/lean/v0/events":
                    self.send_response(200)
                    self.send_header("content-type", "text/event-stream")
                    self.end_headers()
                    self.wfile.write(b": live\n\n")
                    self.wfile.flush()
                    beacon._streams.append(self.wfile)
                    threading.Event().wait()
                    return
                if path == "/" or path.startswith("/page/"):
                    file = PAGE / (path.removeprefix("/page/") if path != "/" else "index.html")
                    body, kind = file.read_bytes(), TYPES[file.suffix]
                else:
                    body, kind = json.dumps(beacon.answer(path.removeprefix("/lean/v0"))).encode(), "application/json"
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler

    def connected(self):
        return bool(self._streams)

    def tell(self, events):
        """Sends events, (topic, data), in one piece."""
        text = ""
        for topic, data in events:
            self._number += 1
            text += f"event: {topic}\ndata: {json.dumps(data, separators=(',', ':'))}\nid: 1-{self._number}\n\n"
        for stream in self._streams:
            stream.write(text.encode())
            stream.flush()


class PageLoadTest(unittest.TestCase):
    def test_no_long_task_while_the_votes_of_slots_arrive(self):
        page = browser.open_browser(self)
        beacon = Beacon()
        self.addCleanup(beacon.server.server_close)
        page.get(beacon.url)
        shown = "return document.querySelectorAll('#tree .block').length"
        wait_until(lambda: beacon.connected() and page.execute_script(shown) == BLOCKS, e2e.PATIENCE_S, "the blocks")
        wait_until(lambda: page.execute_script("return document.getElementById('peer-count').textContent") == "0",
                   e2e.PATIENCE_S, "no connected peer")
        page.execute_script(
            "window.tasks = []; new PerformanceObserver((list) => list.getEntries().forEach("
            "(entry) => tasks.push(entry.duration))).observe({type: 'longtask'})")

        for slot in range(BLOCKS + 1, BLOCKS + 1 + SLOTS_OF_VOTES):
            block = {"slot": slot, "block": root_of(slot), "state": root_of("state")}
            beacon.tell([("block", block), ("head", block)])
            checkpoint = {"slot": slot, "root": root_of(slot)}
            data = {"slot": slot, "head": checkpoint, "target": checkpoint, "source": checkpoint}
            # A slot's votes arrive within an interval.
            for first in range(0, VALIDATORS, VOTES_AT_ONCE):
                beacon.tell([("attestation", {"validator_id": index, "data": data})
                             for index in range(first, first + VOTES_AT_ONCE)])
                time.sleep(VOTES_AT_ONCE / VALIDATORS)
            weight = f"return document.querySelector('#tree [data-root=\"{root_of(slot)}\"]')?.dataset.weight"
            wait_until(lambda w=weight: page.execute_script(w) == str(VALIDATORS), e2e.PATIENCE_S, "the votes on the page")

        tasks = [round(duration) for duration in page.execute_script("return tasks")]
        print(f"tasks above 50 ms: {tasks}", flush=True)
        self.assertEqual([duration for duration in tasks if duration > MOST_TASK_MS], [])
        self.assertEqual(browser.errors(page), [])


if __name__ == "__main__":
    e2e.main()
