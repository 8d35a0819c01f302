"""Compiled crates reach another checkout by the cache (p2p/crate_cache)."""

import os
import pathlib
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "p2p/crate_cache"

CRATES = (".fingerprint/tokio-11/lib-tokio", "build/ring-22/output", "deps/libtokio-11.rlib", "deps/tokio-11.d")
OWN = (".fingerprint/lean-p2p-33/bin-lean-p2p", "deps/liblean_p2p-33.rlib", "deps/lean_p2p-33.d", "deps/hostile-44")


class CrateCacheTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.cache = self.folder / "ccache/crates"

    def run_cache(self, action, checkout, compiler="/bin/echo"):
        environment = dict(os.environ, CCACHE_DIR=str(self.folder / "ccache"), RUSTC=compiler)
        return subprocess.run([SCRIPT, action, self.folder / checkout], env=environment, check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def compile(self, checkout, *files):
        for file in files:
            path = self.folder / checkout / "release" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file, encoding="utf-8")
            os.utime(path, ns=(1_700_000_000_123_456_789,) * 2)

    def files(self, checkout):
        release = self.folder / checkout / "release"
        return sorted(str(path.relative_to(release)) for path in release.rglob("*") if path.is_file())

    def archives(self):
        return sorted(self.cache.glob("*.tar.gz"))

    def succeed(self, *arguments, **options):
        result = self.run_cache(*arguments, **options)
        self.assertEqual(result.returncode, 0, result.stdout)
        return result.stdout

    def test_another_checkout_gets_the_crates_with_their_times(self):
        self.compile("one", *CRATES, *OWN)
        self.succeed("save", "one")
        self.succeed("restore", "two")
        self.assertEqual(self.files("two"), sorted(CRATES))
        for file in CRATES:
            self.assertEqual((self.folder / "two/release" / file).stat().st_mtime_ns, 1_700_000_000_123_456_789)

    def test_what_is_compiled_stays(self):
        self.compile("one", *CRATES)
        self.succeed("save", "one")
        self.compile("two", ".fingerprint/other-55/lib")
        self.succeed("restore", "two")
        self.assertEqual(self.files("two"), [".fingerprint/other-55/lib"])

    def test_an_archive_grows_by_new_crates_only(self):
        self.compile("one", *CRATES)
        self.succeed("save", "one")
        first = self.archives()[0].stat().st_ino
        self.compile("one", *OWN)
        self.succeed("save", "one")
        self.assertEqual(self.archives()[0].stat().st_ino, first)
        self.compile("one", ".fingerprint/yamux-66/lib", "deps/libyamux-66.rlib")
        self.succeed("save", "one")
        self.assertEqual(len(self.archives()), 1)
        self.succeed("restore", "two")
        self.assertIn("deps/libyamux-66.rlib", self.files("two"))

    def test_a_broken_archive_is_no_error(self):
        self.compile("one", *CRATES)
        self.succeed("save", "one")
        archive = self.archives()[0]
        archive.write_bytes(archive.read_bytes()[:100])
        self.assertIn("cannot be read and is removed", self.succeed("restore", "two"))
        self.assertEqual(self.files("two"), [])
        self.assertEqual(self.archives(), [])

    def test_two_archives_are_kept_and_another_compiler_has_its_own(self):
        self.compile("one", *CRATES)
        for number in range(3):
            compiler = self.folder / f"rustc{number}"
            compiler.write_text(f"#!/bin/sh\necho {number}\n", encoding="utf-8")
            compiler.chmod(0o755)
            self.succeed("save", "one", compiler=str(compiler))
            self.succeed("restore", f"other{number}", compiler=str(compiler))
            self.assertEqual(self.files(f"other{number}"), sorted(CRATES))
        self.assertEqual(len(self.archives()), 2)
        self.assertEqual(len(list(self.cache.iterdir())), 4)

    def test_usage(self):
        for arguments in (("drop", "one"), ("save",)):
            result = subprocess.run([SCRIPT, *arguments], check=False, text=True, stderr=subprocess.PIPE)
            self.assertEqual(result.returncode, 2)
            self.assertIn("Usage", result.stderr)


if __name__ == "__main__":
    unittest.main()
