"""Tests that the linter's settings (.clang-tidy) refuse what reads a guarded member without its lock."""

import pathlib
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = pathlib.Path(__file__).with_name("guarded.cpp")
SKIPPED = 77


def lint(*options):
    return subprocess.run(["clang-tidy", "--quiet", SOURCE, "--", "-std=c++20", f"-I{ROOT}", *options],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


class ThreadSafetyTest(unittest.TestCase):
    def test_a_member_read_under_its_lock_is_taken(self):
        result = lint()
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_a_member_read_without_its_lock_is_refused(self):
        result = lint("-DLEAN_WITHOUT_LOCK")
        self.assertNotEqual(result.returncode, 0, result.stdout)
        self.assertIn("reading variable 'value_' requires holding mutex 'mutex_'", result.stdout)
        self.assertIn("[clang-diagnostic-thread-safety-analysis,-warnings-as-errors]", result.stdout)


if __name__ == "__main__":
    if shutil.which("clang-tidy") is None:
        print("skipped: clang-tidy is not installed (deploy/setup --checks installs it)")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
