"""A short run of the benchmark with a second beacon: blocks reach it by gossip, and again by sync. No time is asserted, because
the machine may be busy."""

import argparse
import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
import second_beacon  # noqa: E402

# pylint: enable=wrong-import-position

BUILD_DIR = pathlib.Path(os.environ.get("LEAN_BUILD_DIR", "build/release")).resolve()


class SecondBeaconTest(unittest.TestCase):
    def test_blocks_arrive_by_gossip_and_by_sync(self):
        with tempfile.TemporaryDirectory() as folder:
            options = argparse.Namespace(build_dir=BUILD_DIR, dir=pathlib.Path(folder), slot_ms=1000, slots=2)
            figures = second_beacon.measure(options, 32)
            self.assertEqual(list(pathlib.Path(folder).iterdir()), [], "the network's folder is removed")
        self.assertTrue(figures["gossip_ms"])
        self.assertGreater(figures["signatures_s_block"], 0)
        self.assertIn("blocks", figures["sync"])
        self.assertIn(f"{len(figures['gossip_ms']):>7} ", second_beacon.table_line(figures))


if __name__ == "__main__":
    unittest.main()
