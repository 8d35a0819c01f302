"""The beacon as a process: its exit codes, its messages, and what it leaves behind."""

import pathlib
import signal
import subprocess
import time

import e2e

BEACON = e2e.BUILD_DIR / "bin" / "lean-beacon"


def run(*arguments):
    return subprocess.run([BEACON, *arguments], capture_output=True, text=True, check=False, timeout=e2e.PATIENCE_S)


def children(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()


class ProcessTest(e2e.NetworkTest):
    def test_stops_cleanly_on_either_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            net = self.make_network(clients=1) if self.network is None else self.network
            net.start_beacon()
            begin = time.monotonic()
            net.beacon.signal(number)
            self.assertEqual(net.beacon.wait(e2e.PATIENCE_S), 0, net.beacon.log_tail())
            took = time.monotonic() - begin
            print(f"{signal.Signals(number).name}: stopped after {took:.2f} s")
            self.assertIn("beacon_stopped", net.beacon.log_tail())

    def test_kill_leaves_the_port_free_and_no_child(self):
        net = self.make_network(clients=1)
        net.start_beacon()
        self.assertEqual(children(net.beacon.pid), [], "the beacon starts no processes")
        net.beacon.kill()
        net.start_beacon()

    def test_log_says_what_it_is(self):
        net = self.make_network(clients=1)
        net.start_beacon()
        genesis = net.rpc.genesis().genesis_block_root
        log = net.beacon.log_tail()
        for part in ("beacon_started", "name=beacon", "version=", "commit=", f"genesis={genesis}", "slot=",
                     f"rpc={net.settings.address}"):
            self.assertIn(part, log)
        self.assertNotIn("rpc_open", log)

    def test_usage(self):
        version = run("--version")
        self.assertEqual(version.returncode, 0)
        self.assertRegex(version.stdout, r"^lean-beacon \d+\.\d+\.\d+ \(")
        self.assertEqual(run("--help").returncode, 0)
        for wrong in ((), ("run",), ("nothing",), ("run", "--genesis", "x", "--nothing"),
                      ("run", "--genesis", "x", "--log-level", "loud")):
            self.assertEqual(run(*wrong).returncode, 2, wrong)
        for failing in (("run", "--genesis", "/nonexistent"), ("genesis", "--output", "/nonexistent/x",
                                                              "--genesis-delay", "5", "--pubkeys-from", "/nonexistent")):
            done = run(*failing)
            self.assertEqual(done.returncode, 1, failing)
            self.assertIn("nonexistent", done.stderr)


if __name__ == "__main__":
    e2e.main()
