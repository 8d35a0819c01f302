"""A beacon starts from the finalized block and state of another client's HTTP interface, and from nothing that does not
fit its --checkpoint-root."""

import contextlib
import http.server
import shutil
import signal
import threading

import e2e
import http_client
from leandev import network
from leandev.processes import Process, wait_until

BLOCK = "/lean/v0/blocks/finalized"
STATE = "/lean/v0/states/finalized"


@contextlib.contextmanager
def serving(answers):
    """A server of these bodies, by path. Its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = answers[self.path]
            with contextlib.suppress(ConnectionError):  # it reads no more than it needs
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class HttpCheckpointTest(e2e.NetworkTest):
    def setUp(self):
        super().setUp()
        self.net = self.make_network(clients=1, beacons=2, slot_ms=600)
        self.address = self.net.places[0].http_address = f"127.0.0.1:{network.free_port()}"
        self.net.start_node(0)
        self.net.start_client(0)
        self.wait_for_finality(above=4)

    def test_from_http(self):
        # Without duties the finalized block stays what it is.
        self.net.clients[0].stop()
        root = self.net.rpc.status().finalized.root
        self._check_refusals(root)
        self._check_waiting()
        self._start_second(root)
        started = self.net.rpcs[1].status().finalized
        self.assertEqual(started.root, root)
        self.net.start_client(0)
        self._check_it_follows(started.slot)

        # While the chain goes on: the head is finalized a few slots later. It may be passed over, so that is tried again.
        for _ in range(5):
            self.net.beacons[1].kill()
            self.net.places[1].arguments = ()
            done = self._start_second(self.net.rpc.status().head.root, fresh=True)
            if done:
                break
        self.assertTrue(done)
        self._check_it_follows(self.net.rpcs[1].status().finalized.slot)

    def _start_second(self, root, fresh=False):
        """Whether it has started in time."""
        if fresh:
            shutil.rmtree(self.net.data_dir(1))
        self.net.places[1].arguments = ("--checkpoint", f"http://{self.address}/", "--checkpoint-root", root)
        if not self.net.engines[1].running():
            self.net.start_engine(1)
        try:
            self.net.start_beacon(1, timeout_s=60)
        except TimeoutError:
            return False
        return True

    def _check_it_follows(self, started):
        wait_until(lambda: (status := self.net.rpcs[1].try_status()) and status.finalized.slot > started + 2,
                   e2e.PATIENCE_S, "the second beacon to finalize")

    def _refused(self, source, root, words):
        done = self.run_beacon("run", "--genesis", self.net.genesis_dir, "--rpc-address", "127.0.0.1:0",
                               "--http-address", "off", "--checkpoint", source, "--checkpoint-root", root)
        self.assertEqual(done.returncode, 1)
        self.assertIn(words, done.stderr)

    def _check_refusals(self, root):
        block = http_client.get(self.address, BLOCK).body
        state = http_client.get(self.address, STATE).body
        for source, words in (("https://127.0.0.1:1", "https is not supported"), ("http://127.0.0.1", "bad address"),
                              ("http://unix:/tmp/x", "expected http://HOST:PORT"),
                              ("http://127.0.0.1:1", "Connection refused")):
            self._refused(source, root, words)
        forged = bytearray(block)
        forged[-1] ^= 1  # in the proposer's signature
        forged[-2000] ^= 1
        for blocks, states, words in (
            (block[:-1], state, "the checkpoint from http://127.0.0.1"),
            (b"", state, "the checkpoint from http://127.0.0.1"),
            (block, state[:-1], "the checkpoint from http://127.0.0.1"),
            (block, state[:100] + bytes([state[100] ^ 1]) + state[101:], "checkpoint: "),
            (bytes(forged), state, "its proposer's signature"),
        ):
            with serving({BLOCK: blocks, STATE: states}) as source:
                self._refused(source, root, words)
        with serving({BLOCK: bytes(20 << 20)}) as source:
            self._refused(source, root, "more than 16777216 bytes")

    def _check_waiting(self):
        """For a root that the source does not finalize, until it is told to stop."""
        log = self.directory / "waiting.log"
        beacon = Process("waiting", [
            *(e2e.BUILD_DIR / "bin" / "lean-beacon", "run", "--genesis", self.net.genesis_dir),
            *("--rpc-address", "127.0.0.1:0", "--http-address", "off"),
            *("--checkpoint", f"http://{self.address}", "--checkpoint-root", "0x" + "12" * 32),
        ], log)
        self.addCleanup(beacon.stop)
        wait_until(lambda: "checkpoint_waiting" in log.read_text(encoding="utf-8"), e2e.PATIENCE_S, "it to wait")
        beacon.signal(signal.SIGINT)
        self.assertEqual(beacon.wait(e2e.PATIENCE_S), 0)
        self.assertIn("the beacon was stopped before it had the checkpoint", beacon.log_tail())


if __name__ == "__main__":
    e2e.main()
