"""`deploy/setup --engine` on a Debian that has only its main archive adds the security suite, which contains the
compiler of the network engine, and says so. Takes minutes, a network and 3 GB."""

import pathlib
import shutil
import sys
import unittest

import debian_root

ROOT = pathlib.Path(__file__).resolve().parents[2]


class SetupTest(unittest.TestCase):
    def setUp(self):
        self.debian = debian_root.DebianRoot()
        self.addCleanup(self.debian.remove)
        self.root = self.debian.path

    def _inside(self, *command):
        code, said = self.debian.run(*command)
        self.assertEqual(code, 0, said)
        return said

    def test_it_adds_the_security_suite_where_it_is_missing(self):
        archive = debian_root.ARCHIVE
        self.assertEqual((self.root / "etc/apt/sources.list").read_text().strip(), f"deb {archive} bookworm main")
        shutil.copytree(ROOT / "deploy", self.root / "lean/deploy")
        said = self._inside("/lean/deploy/setup", "--engine")
        self.assertIn("==> adding Debian's security suite to the sources of packages (/etc/apt/sources.list.d/lean-security.list)",
                      said)
        self.assertEqual((self.root / "etc/apt/sources.list.d/lean-security.list").read_text(),
                         f"deb {archive}-security bookworm-security main\n")
        version = self._inside("rustc", "--version").split()[1]
        self.assertGreaterEqual(tuple(map(int, version.split(".")[:2])), (1, 88), version)
        self._inside("cargo", "--version")
        # Everything is there now: it has nothing to say or to do.
        self.assertEqual(self._inside("/lean/deploy/setup", "--engine"), "")


if __name__ == "__main__":
    why = debian_root.missing()
    if why:
        print(f"skipped: {why}")
        sys.exit(77)
    unittest.main()
