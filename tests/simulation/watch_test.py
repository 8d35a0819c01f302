"""Tests that a recorded run of lean-sim is shown by the page of a beacon, in headless Chromium.

LEAN_SCREENSHOTS=DIR saves pictures of it.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

import browser
from browser import By

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEAN_SIM = pathlib.Path(os.environ["LEAN_BUILD_DIR"], "bin/lean-sim")
PATIENCE_S = 120
# Half against half for 20 slots, then a node is down for 10.
SCENARIO = """
nodes: 6
validators: 6
slots: 72
calm_slots: 30
faults:
  - {kind: partition, from: 4, until: 24, nodes: [0, 1, 2]}
  - {kind: kill, from: 32, until: 42, nodes: [5]}
"""
# Slot 20 of a watched run lasts minutes: the page shows one moment.
STANDS_STILL = 0.01


class WatchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        scenario = pathlib.Path(folder.name, "scenario.yaml")
        scenario.write_text(SCENARIO, encoding="ascii")
        cls.recording = pathlib.Path(folder.name, "recording")
        subprocess.run([LEAN_SIM, "--scenario", scenario, "--record", cls.recording, "--record-nodes", "0,5"],
                       stdout=subprocess.DEVNULL, check=True)

    def setUp(self):
        self.page = browser.open_browser(self)

    def watch(self, node, from_slot, speed):
        """Opens the page of a node in a replay."""
        command = [sys.executable, ROOT / "tests/simulation/watch.py", self.recording, "--port", "0",
                   "--from-slot", str(from_slot), "--speed", str(speed)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        addresses = dict(process.stdout.readline().split(": ") for _ in range(2))
        self.page.get(addresses[f"node-{node}"].strip())

    def text(self, element_id):
        return self.page.find_element(By.ID, element_id).get_attribute("textContent")

    def number(self, element_id):
        """The number that a figure begins with; -1: there is none yet."""
        found = re.match(r"\d+", self.text(element_id))
        return int(found[0]) if found else -1

    def lanes(self):
        return set(self.page.execute_script(
            "return [...document.querySelectorAll('#tree .block circle')].map((circle) => circle.getAttribute('cy'))"))

    def expect(self, condition, what):
        end = time.monotonic() + PATIENCE_S
        while not condition():
            self.assertLess(time.monotonic(), end, f"{what}; the page says: {self.text('link')}")
            time.sleep(0.1)

    def screenshot(self, name):
        folder = os.environ.get("LEAN_SCREENSHOTS")
        if folder:
            self.page.save_screenshot(str(pathlib.Path(folder, f"{name}.png")))

    def test_a_moment_of_the_stall(self):
        self.watch(0, 20.5, STANDS_STILL)
        self.expect(lambda: self.number("finalized") >= 0, "the chain")
        self.assertEqual(self.text("link"), "live")
        self.assertEqual(self.number("slot"), 20)
        self.assertGreaterEqual(self.number("lag"), 16)
        self.assertEqual(self.text("sync"), "synced")
        self.assertIn("lean-sim", self.text("peers"))
        self.expect(lambda: "slot 18: 3 of 6" in self.text("slots"), "the votes of one half")
        self.screenshot("watch_stall")

    def test_what_follows_the_stall(self):
        self.watch(0, 20, 40)
        self.expect(lambda: self.number("finalized") > 60, "finality at the end of the run")
        self.assertEqual(self.text("link"), "live")
        self.assertGreater(len(self.lanes()), 1, "the branches of the halves")
        self.screenshot("watch_end")
        self.assertEqual(browser.errors(self.page), [])

    def test_a_node_that_is_down(self):
        self.watch(5, 36, STANDS_STILL)
        self.expect(lambda: "no answer from the beacon" in self.text("link"), "the page to tell that the node is down")


if __name__ == "__main__":
    unittest.main(verbosity=2)
