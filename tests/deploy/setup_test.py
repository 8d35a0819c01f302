"""`deploy/setup --engine` on a Debian that has only its main archive adds the security suite, which contains the
compiler of the network engine, and says so. Takes minutes, a network and 3 GB."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
ARCHIVE = os.environ.get("LEAN_DEBIAN_ARCHIVE", "http://deb.debian.org/debian")
# What is in the folder, with its processes, ends with the test.
CHROOT = """
mount --make-rprivate /
mount -t proc proc "$0/proc"
mount --bind /dev "$0/dev"
exec chroot "$0" "$@"
"""


def missing():
    """Why it cannot be tried; empty: it can."""
    if os.geteuid() != 0:
        return "only root can change the root folder"
    if not shutil.which("debootstrap"):
        return "debootstrap is not installed"
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, check=False).returncode != 0:
        return "namespaces cannot be had (unshare)"
    try:
        with urllib.request.urlopen(f"{ARCHIVE}/dists/bookworm/Release", timeout=20):
            return ""
    except OSError as error:
        return f"debootstrap could not fetch from {ARCHIVE}: {error}"


class SetupTest(unittest.TestCase):
    def setUp(self):
        # In /var/tmp, since /tmp may be in memory.
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="lean-setup-", dir="/var/tmp"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)

    def _inside(self, *command):
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", CHROOT, self.root, *command],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_it_adds_the_security_suite_where_it_is_missing(self):
        subprocess.run(["debootstrap", "--variant=minbase", "--components=main", "bookworm", self.root, ARCHIVE], check=True)
        self.assertEqual((self.root / "etc/apt/sources.list").read_text().strip(), f"deb {ARCHIVE} bookworm main")
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        shutil.copytree(ROOT / "deploy", self.root / "lean/deploy")
        said = self._inside("/lean/deploy/setup", "--engine")
        self.assertIn("==> adding Debian's security suite to the sources of packages (/etc/apt/sources.list.d/lean-security.list)",
                      said)
        self.assertEqual((self.root / "etc/apt/sources.list.d/lean-security.list").read_text(),
                         f"deb {ARCHIVE}-security bookworm-security main\n")
        version = self._inside("rustc", "--version").split()[1]
        self.assertGreaterEqual(tuple(map(int, version.split(".")[:2])), (1, 88), version)
        self._inside("cargo", "--version")
        # Everything is there now: it has nothing to say or to do.
        self.assertEqual(self._inside("/lean/deploy/setup", "--engine"), "")


if __name__ == "__main__":
    why = missing()
    if why:
        print(f"skipped: {why}")
        sys.exit(77)
    unittest.main()
