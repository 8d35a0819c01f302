"""A short run of the load tool against a small network: every step measures something, and the check by ghz reads what
ghz prints. No latency is asserted, because the machine may be busy."""

import argparse
import io
import json
import os
import pathlib
import sys
import tempfile
import types
import unittest
from contextlib import redirect_stdout
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
import load  # noqa: E402
import voted_network  # noqa: E402
from load import go_programs  # noqa: E402

# pylint: enable=wrong-import-position

BUILD_DIR = pathlib.Path(os.environ.get("LEAN_BUILD_DIR", "build/release")).resolve()
VALIDATORS = 128
# More than a run takes, so that keys last when a busy machine starts the programs late.
SLOTS_BETWEEN = 11
REPORT_OF_GHZ = {
    "count": 1000, "rps": 499.5, "slowest": 9_000_000,
    "latencyDistribution": [{"percentage": 50, "latency": 600_000}, {"percentage": 99, "latency": 2_500_000}],
}


class LoadTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_keys_last_for_all_slots_of_a_run(self):
        self.assertEqual(voted_network.log_lifetime_for(32), 8)
        self.assertEqual(voted_network.log_lifetime_for(33), 16)
        self.assertRaises(SystemExit, voted_network.log_lifetime_for, 513)

    def options(self, **changes):
        options = {
            "build_dir": BUILD_DIR, "dir": self.folder, "validators": VALIDATORS, "slot_ms": 2000, "slots": 3,
            "calls": "BuildVote,GetHead,SubmitVotes", "clients": [4], "rate": 100.0, "json": self.folder / "result.json",
        }
        options.update(changes)
        return argparse.Namespace(**options)

    def test_every_step_measures(self):
        options = self.options()
        ghz, why = go_programs.tool("ghz", BUILD_DIR / "bin")
        with mock.patch.object(load, "SLOTS_BETWEEN", SLOTS_BETWEEN):
            self.assertEqual(load.measure(options), 0)
        report = json.loads(options.json.read_text(encoding="ascii"))
        self.assertEqual(report["validators"], VALIDATORS)
        if ghz:
            self.assertGreater(report["ghz"]["calls"], 0)
            self.assertGreater(report["ghz"]["p50_ms"], 0)
        else:
            print(f"without the independent check: {why}")
            self.assertIsNone(report["ghz"])
        steps = report["steps"]
        self.assertEqual([step["call"] for step in steps], ["nothing", "votes", "BuildVote", "GetHead", "SubmitVotes"])
        for step in steps[2:]:
            latencies = step["latencies"]
            self.assertGreater(latencies["calls"], 0, step)
            percentiles = [latencies[name] for name in ("p50_ms", "p99_ms", "p99.9_ms", "most_ms")]
            self.assertEqual(percentiles, sorted(percentiles), step)
            self.assertGreater(percentiles[0], 0, step)
        self.assertGreater(sum(step["cpu_s_slot"] for step in steps), 0)
        self.assertEqual(list(self.folder.iterdir()), [options.json], "the network's folder is removed")

    def check_by_ghz(self, script):
        """The result of the check with this script as ghz, and what it printed."""
        ghz = self.folder / "ghz"
        ghz.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
        ghz.chmod(0o755)
        network = types.SimpleNamespace(places=[types.SimpleNamespace(rpc_address="127.0.0.1:1")])
        printed = io.StringIO()
        with mock.patch.dict(os.environ, {"PATH": f"{self.folder}:{os.environ['PATH']}"}), redirect_stdout(printed):
            return load.check_by_ghz(network, self.options()), printed.getvalue()

    def test_ghz_is_read(self):
        checked, printed = self.check_by_ghz(f"echo '{json.dumps(REPORT_OF_GHZ)}'")
        self.assertEqual(checked, {"calls": 1000, "p50_ms": 0.6, "p99_ms": 2.5})
        self.assertIn("p99 2.50 ms", printed)

    def test_ghz_that_fails_is_reported(self):
        checked, printed = self.check_by_ghz("echo 'no such flag' >&2; exit 1")
        self.assertIsNone(checked)
        self.assertIn("no such flag", printed)


if __name__ == "__main__":
    unittest.main()
