"""deploy/devnet: its exit code, its errors, and that it leaves no processes behind."""

import json
import re
import signal
import subprocess
import unittest
import urllib.request

import e2e
from leandev import network, observe
from leandev.processes import exists, wait_until


# Enough slots for finality on a busy machine, after a genesis that every program is there for.
FINALIZING = ("--slots", 40, "--genesis-delay", 10)


class DevnetTest(e2e.NetworkTest):
    def start(self, *arguments):
        """Starts the script with a short key generation and short slots. Its output goes to a file."""
        self.log = self.directory / "devnet.log"
        self.folder = self.directory / "devnet"
        self.port = network.free_port()
        command = [
            *(e2e.ROOT / "deploy" / "devnet", "--build-dir", e2e.BUILD_DIR, "--dir", self.folder),
            *("--port", self.port, "--http-port", network.free_port()),
            *("--slot-ms", e2e.SLOT_MS, "--active-slots", e2e.ACTIVE_SLOTS),
            *("--xmss-log-lifetime", e2e.XMSS_LOG_LIFETIME, "--genesis-delay", 2, *arguments),
        ]
        with open(self.log, "wb") as log:
            script = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

        def end():
            if script.poll() is None:
                script.terminate()
                script.wait(60)

        self.addCleanup(end)
        return script

    def said(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for_text(self, pattern, script):
        def seen():
            self.assertIsNone(script.poll(), f"the script has ended:\n{self.said()}")
            return re.search(pattern, self.said())

        return wait_until(seen, e2e.PATIENCE_S, f"the script to print {pattern}")

    def children(self, script):
        """Ids of the programs that the script runs."""
        listing = subprocess.run(
            ["ps", "--no-headers", "-o", "pid", "--ppid", str(script.pid)], stdout=subprocess.PIPE, text=True, check=False)
        return [int(word) for word in listing.stdout.split()]

    def test_ends_by_itself_when_finality_advances(self):
        script = self.start(*FINALIZING)
        self.assertEqual(script.wait(e2e.PATIENCE_S), 0, self.said())
        self.assertRegex(self.said(), r"(?m)^slot=\d+ head=\d+ justified=\d+ finalized=[1-9]\d* votes=4/4 proposer=\d+ ")
        self.assertRegex(self.said(), r"(?m)^==> the chain in a browser: http://127\.0\.0\.1:\d+/$")
        self.assertRegex(self.said(), r"(?m)^finalized slot [1-9]\d* by slot \d+$")

    @unittest.skipIf(observe.missing(), observe.missing())
    def test_observed_by_prometheus(self):
        script = self.start("--observe")
        url = self.wait_for_text(r"Prometheus is on (http://[\w.:]+)", script)[1]

        def scraped():
            with urllib.request.urlopen(f"{url}/api/v1/query?query=up==1", timeout=e2e.PATIENCE_S) as answer:
                return len(json.load(answer)["data"]["result"]) == 3

        wait_until(scraped, e2e.PATIENCE_S, "a beacon and two clients to be scraped")
        children = self.children(script)
        script.terminate()
        script.wait(e2e.PATIENCE_S)
        self.assertEqual([child for child in children if exists(child)], [])

    def test_several_beacons_are_linked_by_engines(self):
        if e2e.missing_engine():
            self.skipTest(e2e.missing_engine())
        script = self.start("--beacons", 3, *FINALIZING)
        self.wait_for_text(r"(?m)^slot=[1-9]", script)
        self.assertEqual(len(self.children(script)), 9, self.said())
        self.assertEqual((self.folder / "nodes.yaml").read_text(encoding="ascii").count("- enr:"), 3)
        self.assertEqual(script.wait(e2e.PATIENCE_S), 0, self.said())
        self.assertRegex(self.said(), r"(?m)^slot=\d+ head=\d+ justified=\d+ finalized=[1-9]\d* votes=4/4 proposer=\d+ ")
        self.assertIn("engine_stopped", (self.folder / "engine-2.log").read_text(encoding="utf-8"))

    def test_refuses_a_folder_whose_path_is_too_long_for_sockets(self):
        script = self.start("--beacons", 2, "--dir", self.directory / ("d" * 100))
        self.assertEqual(script.wait(60), 1)
        self.assertIn("too long for the unix sockets of the network engines", self.said())

    def test_says_why_when_nothing_was_finalized(self):
        script = self.start("--slots", 1)
        self.assertEqual(script.wait(e2e.PATIENCE_S), 1, self.said())
        self.assertIn("nothing was finalized", self.said())

    def test_killed_leaves_no_orphan(self):
        script = self.start()
        self.wait_for_text(r"(?m)^slot=[1-9]", script)
        children = self.children(script)
        self.assertEqual(len(children), 3, self.said())
        script.kill()
        script.wait()
        wait_until(lambda: not any(map(exists, children)), 30, "its processes to be gone")

    def test_interrupt_stops_everything(self):
        script = self.start()
        self.wait_for_text(r"(?m)^slot=[1-9]", script)
        children = self.children(script)
        script.send_signal(signal.SIGINT)
        self.assertEqual(script.wait(60), 0, self.said())
        self.assertFalse([pid for pid in children if exists(pid)])
        # They stopped in order: their logs end with their last messages.
        self.assertIn("beacon_stopped", (self.folder / "beacon.log").read_text(encoding="utf-8"))

    def test_refuses_an_existing_folder(self):
        (self.directory / "devnet").mkdir()
        script = self.start()
        self.assertEqual(script.wait(60), 1)
        self.assertIn(f"{self.folder} exists already", self.said())

    def test_refuses_a_port_in_use(self):
        other = self.make_network()
        other.start_beacon()
        script = self.start("--port", other.settings.port)
        self.assertEqual(script.wait(60), 1)
        self.assertIn(f"port {other.settings.port} on 127.0.0.1 is in use", self.said())
        self.assertFalse(self.folder.exists())


if __name__ == "__main__":
    e2e.main()
