"""A node of ours: its three programs, started on a genesis folder as lean-quickstart creates it."""

import subprocess

from leandev import network
from leandev.processes import Process


class OwnNode:
    """lean-p2p, lean-beacon and lean-validator for one node of the folder."""

    def __init__(self, build_dir, genesis_dir, name, data_dir):
        self._bin = build_dir / "bin"
        self._genesis_dir = genesis_dir
        self._data_dir = data_dir
        self.name = name
        self.rpc_address = f"127.0.0.1:{network.free_port()}"
        self.processes = []

    def start(self, node_key, listen, engine_options=(), validators=True):
        """Starts all three, on the keys of the node's validators; or two, for a node without validators."""
        self._data_dir.mkdir(parents=True, exist_ok=True)
        socket_dir = self._data_dir / "socket"
        socket_dir.mkdir(mode=0o700)
        self._launch("lean-p2p", "--socket", socket_dir / "engine", "--node-key", node_key, "--node-id", self.name,
                     "--listen", listen, "--nodes", self._genesis_dir / "nodes.yaml", *engine_options)
        self._launch("lean-beacon", "run", "--genesis", self._genesis_dir, "--data", self._data_dir / "chain",
                     "--name", self.name, "--rpc-address", self.rpc_address,
                     "--network-engine", f"unix:{socket_dir / 'engine'}")
        if not validators:
            return
        keystores = self._data_dir / "keys" / "keystores.yaml"
        subprocess.run([self._bin / "lean-validator", "keys", "import", "--from", self._genesis_dir / "hash-sig-keys",
                        "--genesis", self._genesis_dir, "--node-id", self.name, "--keystores", keystores, "--plain"],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self._launch("lean-validator", "run", "--keystores", keystores, "--genesis", self._genesis_dir,
                     "--beacon", self.rpc_address, "--new-keys", "--no-watch")

    def _launch(self, program, *arguments):
        log = self._data_dir / f"{program}.log"
        self.processes.append(Process(f"{self.name}-{program}", [self._bin / program, *arguments], log))

    def ended(self):
        """The first of its programs that does not run any more; None: all of them run."""
        return next((process for process in self.processes if not process.running()), None)

    def stop(self):
        for process in reversed(self.processes):
            process.stop()
