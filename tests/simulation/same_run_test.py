"""Tests that lean-sim makes the same run of the same seed in two processes: the order of hash maps differs between processes."""

import os
import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEAN_SIM = pathlib.Path(os.environ["LEAN_BUILD_DIR"], "bin/lean-sim")
STORM = ROOT / "tests/simulation/scenarios/storm.yaml"


def result_of_run(seed):
    """What lean-sim prints of a run, without the time that it took."""
    command = [LEAN_SIM, "--scenario", STORM, "--slots", "96", "--seed", str(seed)]
    line = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return line.partition(" slots_per_cpu_s=")[0]


class SameRunTest(unittest.TestCase):
    def test_two_processes_make_the_same_run(self):
        first = result_of_run(5)
        self.assertIn(" digest=", first)
        self.assertEqual(result_of_run(5), first)

    def test_another_seed_makes_another_run(self):
        self.assertNotEqual(result_of_run(6).partition(" digest=")[2], result_of_run(5).partition(" digest=")[2])


if __name__ == "__main__":
    unittest.main(verbosity=2)
