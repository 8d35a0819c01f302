"""A network of lean-quickstart with two nodes of ours, started by the command in deploy/quickstart/client-cmds as spin-node.sh
does it. Both finalize, and nothing remains when the commands are killed."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

import e2e
from genesis import make_genesis, make_keys, make_nodes
from leandev.processes import Process, wait_until
from leandev.rpc import BeaconRpc

HAVE_ENGINE = (e2e.BUILD_DIR / "bin" / "lean-p2p").is_file()
COMMANDS = e2e.ROOT / "deploy" / "quickstart" / "client-cmds"

# As spin-node.sh at f512c93: source the file of the client, evaluate one of its commands in the background, wait.
SPIN = """
client=${item%%_*}
source "$commands/$client-cmd.sh"
if [ "$node_setup" != binary ]; then echo "not a binary"; exit 1; fi
eval "$node_binary" &
echo "spinned $!"
wait
"""


def processes_in(folder):
    """The command lines of all processes that name the folder."""
    lines = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            lines.append(line)
    return lines


@unittest.skipUnless(HAVE_ENGINE, "lean-p2p was not built")
class QuickstartCommandTest(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lean-quickstart-", dir=e2e.folder_for_tests()))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.data = self.directory / "data"

    def spin(self, node, genesis):
        (self.data / node.name).mkdir(parents=True)
        variables = {"commands": COMMANDS, "item": node.name, "configDir": genesis, "dataDir": self.data,
                     "privKeyPath": f"{node.name}.key", "quicPort": node.port, "metricsPort": node.metrics_port,
                     "LEAN_NODE_DIR": e2e.ROOT, "LEAN_BIN": e2e.BUILD_DIR / "bin"}
        process = Process(node.name, ["bash", "-c", SPIN], self.directory / f"{node.name}.log",
                          prefix=["env", *(f"{name}={value}" for name, value in variables.items())])
        self.addCleanup(process.stop)
        return process

    def test_two_nodes_finalize_and_leave_nothing(self):
        keys = make_keys(e2e.BUILD_DIR, self.directory, 4, 16, 1024)
        nodes = make_nodes(("leannode_0", "leannode_1"), 4)
        genesis = make_genesis(e2e.BUILD_DIR, self.directory, nodes, keys, delay_s=8, slot_ms=1000, log_lifetime=16)
        spun = [self.spin(node, genesis) for node in nodes]
        for node in nodes:
            rpc = BeaconRpc(f"127.0.0.1:{node.port}", e2e.BUILD_DIR)
            self.addCleanup(rpc.close)

            def finalized(rpc=rpc):
                status = rpc.try_status()
                return status and status.finalized.slot >= 4

            wait_until(finalized, 2 * e2e.PATIENCE_S, f"{node.name} to finalize")
            self.assertEqual(rpc.node_info().name, node.name)
        # As spin-node.sh does it.
        for process in spun:
            pid = int(re.search(r"spinned (\d+)", process.log_path.read_text())[1])
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not processes_in(self.data), e2e.PATIENCE_S, "all programs to end")

    def test_a_node_ends_when_one_of_its_programs_cannot_run(self):
        keys = make_keys(e2e.BUILD_DIR, self.directory, 2, 8, 64)
        nodes = make_nodes(("leannode_0", "leannode_1"), 2)
        genesis = make_genesis(e2e.BUILD_DIR, self.directory, nodes, keys, delay_s=3600, slot_ms=1000, log_lifetime=8)
        command = [e2e.ROOT / "deploy" / "quickstart" / "lean-node", "--genesis", genesis, "--data", self.data, "--node-id"]
        arguments = ["--node-key", genesis / "leannode_0.key", "--quic-port", str(nodes[0].port)]
        environment = {**os.environ, "LEAN_BIN": str(e2e.BUILD_DIR / "bin")}

        def run(*arguments):
            return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False,
                                  stdin=subprocess.DEVNULL, timeout=e2e.PATIENCE_S)

        done = run("stranger_0", *arguments)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("assigns no validators to a node stranger_0", done.stderr)
        (genesis / "config.yaml").write_text("GENESIS_TIME: soon\n")
        done = run("leannode_0", *arguments)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(processes_in(self.data), [])
        done = run("leannode_0", "--port", "1")
        self.assertEqual(done.returncode, 2)
        self.assertIn("unknown argument --port", done.stderr)


if __name__ == "__main__":
    e2e.main()
