"""A devnet with one beacon builds no Rust: no command of its targets runs cargo."""

import os
import subprocess
import unittest

import devnet

BUILD_DIR = os.environ["LEAN_BUILD_DIR"]


def commands_for(*arguments):
    """The commands that build the programs of a devnet with these arguments, from nothing."""
    targets = [*devnet.programs(devnet.settings_of(devnet.parse_arguments(arguments))), "lean_python_stubs"]
    ninja = ["ninja", "-C", BUILD_DIR, "-t", "commands", *targets]
    return subprocess.run(ninja, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


class NoRustTest(unittest.TestCase):
    def test_only_several_beacons_need_cargo(self):
        one, several = commands_for(), commands_for("--beacons", "2")
        self.assertGreater(len(one), 20)
        self.assertEqual([command for command in one if "cargo" in command], [])
        self.assertTrue(any("cargo" in command for command in several))


if __name__ == "__main__":
    unittest.main()
