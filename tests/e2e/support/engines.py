"""Network engines (lean-p2p) beside the beacons of a network."""

import re

import e2e
from leandev import network
from leandev.processes import Process, wait_until

PROGRAM = e2e.BUILD_DIR / "bin" / "lean-p2p"


def missing():
    """Why there can be no engine; empty: there can be."""
    return "" if PROGRAM.is_file() else f"{PROGRAM} was not built"


class Engine:
    """The engine of one beacon. Ended with the test."""

    def __init__(self, test, number):
        self._directory = test.network.settings.directory
        self._name = f"engine-{number}"
        self._port = network.free_port()
        self._peers = []
        self._process = None
        self.socket_dir = self._directory / self._name
        self.socket_dir.mkdir(mode=0o700)
        test.network.places[number].peer_address = ""
        test.network.places[number].peers = []
        test.network.places[number].arguments = ("--network-engine", f"unix:{self.socket_dir}/socket")
        test.addCleanup(self.stop)

    @property
    def log(self):
        return (self._directory / f"{self._name}.log").read_text(encoding="utf-8", errors="replace")

    def start(self, peers=()):
        """`peers`: engines that it dials; those of the last start when there are none."""
        self._peers = [engine.address for engine in peers] or self._peers
        arguments = [PROGRAM, "--socket", self.socket_dir / "socket", "--node-key", self.socket_dir / "key"]
        arguments += ["--listen", f"127.0.0.1:{self._port}"]
        for address in self._peers:
            arguments += ["--peer", address]
        starts = self._starts()
        self._process = Process(self._name, arguments, self._directory / f"{self._name}.log")
        wait_until(lambda: self._starts() > starts, e2e.PATIENCE_S, f"{self._name} to start")

    def _starts(self):
        path = self._directory / f"{self._name}.log"
        return self.log.count("engine_started") if path.exists() else 0

    @property
    def address(self):
        """A multiaddr that others can dial; of an engine that was started."""
        peer_id = re.search(r"engine_started .*peer_id=(\w+)", self.log)[1]
        return f"/ip4/127.0.0.1/udp/{self._port}/quic-v1/p2p/{peer_id}"

    def kill(self):
        self._process.kill()

    def stop(self):
        if self._process is not None and self._process.running():
            self._process.stop()
