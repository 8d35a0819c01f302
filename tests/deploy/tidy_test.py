"""Tests that the linter's settings (.clang-tidy) refuse what reads a guarded member without its lock, and the run on all sources."""

import contextlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import tidy

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


class TidyRunTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        environment = unittest.mock.patch.dict(os.environ, {"CCACHE_DIR": str(self.root / "ccache")})
        environment.start()
        self.addCleanup(environment.stop)
        self.build = self.root / "build/release"
        self.build.mkdir(parents=True)
        (self.build / "build.ninja").touch()
        (self.root / ".clang-tidy").write_text("Checks: '-*,google-explicit-constructor'\n", encoding="utf-8")
        common = self.root / "common"
        common.mkdir()
        self.files = [str(common / "first.cpp"), str(common / "second.cpp")]
        for file in self.files:
            pathlib.Path(file).write_text("int size();\n", encoding="utf-8")
        entries = [{"directory": str(self.build), "command": f"c++ -o {file}.o -c {file}", "file": file} for file in self.files]
        (self.build / "compile_commands.json").write_text(json.dumps(entries), encoding="utf-8")

    def run_tidy(self, *seconds):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            code = tidy.main(self.build, *seconds)
        return code, printed.getvalue().splitlines()

    def test_what_the_time_does_not_reach_is_checked_by_the_next_run(self):
        code, lines = self.run_tidy("0.000001")
        self.assertEqual((code, lines[-1]), (SKIPPED, "the time is over: 2 files are left for the next run"))
        code, lines = self.run_tidy("600")
        self.assertEqual((code, lines[0], len(lines)), (0, "2 of 2 files to check", 3))
        self.assertEqual(self.run_tidy("0.000001"), (0, ["0 of 2 files to check"]))

    def test_begins_with_the_latest_commits(self):
        self.assertEqual(tidy.by_latest_change(self.files, self.root), self.files)
        git = ["git", "-C", str(self.root), "-c", "user.name=test", "-c", "user.email=test@localhost"]
        subprocess.run([*git, "init", "--quiet"], check=True)
        for file in self.files:
            subprocess.run([*git, "add", file], check=True)
            subprocess.run([*git, "commit", "--quiet", "--message", "a source"], check=True)
        self.assertEqual(tidy.by_latest_change(self.files, self.root), self.files[::-1])


if __name__ == "__main__":
    if shutil.which("clang-tidy") is None:
        print("skipped: clang-tidy is not installed (deploy/setup --checks installs it)")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
