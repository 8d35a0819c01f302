"""The network engine runs with the restrictions of its unit: a separate user without capabilities, no new privileges,
and a read-only file system except for its two folders. systemd-analyze checks the units."""

import grp
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import e2e
from leandev import network
from leandev.processes import Process, wait_until
from leandev.rpc import BeaconRpc

UNITS = e2e.ROOT / "deploy" / "systemd"
ENGINE = e2e.BUILD_DIR / "bin" / "lean-p2p"
# Users without names, and one of Debian's groups to which both belong.
ENGINE_USER, BEACON_USER, STRANGER = 64001, 64002, 64003
GROUP = "users"
# Of 100: systemd rates a unit below this value as OK.
MOST_EXPOSED = 20

# Only the two folders are writable. $1: state, $2: runtime; the rest is the command.
READ_ONLY = """
ip link set lo up
mount --make-rprivate /
mount --bind "$1" "$1"
mount --bind "$2" "$2"
mount -o remount,bind,ro /
shift 2
exec "$@"
"""


def drop(user, group, *groups):
    """A command that runs another one as this user, without the possibility to gain privileges."""
    members = ["--groups", ",".join(map(str, groups))] if groups else ["--clear-groups"]
    return ["setpriv", "--reuid", str(user), "--regid", str(group), *members, "--bounding-set=-all", "--inh-caps=-all",
            "--ambient-caps=-all", "--no-new-privs", "--pdeathsig", "KILL", "--"]


class UnitsTest(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_systemd_takes_the_units_and_calls_them_safe(self):
        with tempfile.TemporaryDirectory() as folder:
            for unit in UNITS.glob("*.service"):
                copy = pathlib.Path(folder) / unit.name
                # The programs are where they were built.
                copy.write_text(re.sub(r"(?m)^ExecStart=/usr/bin/", f"ExecStart={e2e.BUILD_DIR}/bin/", unit.read_text()))
                for command in (["verify", "--man=no"], ["security", "--offline=yes", f"--threshold={MOST_EXPOSED}"]):
                    done = subprocess.run(["systemd-analyze", "--no-pager", *command, copy], capture_output=True,
                                          text=True, check=False)
                    self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)


@unittest.skipUnless(os.geteuid() == 0, "users are changed by root alone")
@unittest.skipUnless(e2e.have_namespaces(), "namespaces cannot be had (unshare)")
@unittest.skipUnless(ENGINE.is_file(), f"{ENGINE} was not built")
class SandboxTest(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lean-sandbox-", dir=e2e.folder_for_tests()))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.directory.chmod(0o755)
        self.group = grp.getgrnam(GROUP).gr_gid
        self.state = self._folder("state", ENGINE_USER, 0o700)
        self.runtime = self._folder("runtime", ENGINE_USER, 0o750)
        self.socket = self.runtime / "engine"
        # Other users may have no access to the build folder.
        self.program = self.directory / "lean-p2p"
        shutil.copy(ENGINE, self.program)
        self.log = self.directory / "engine.log"
        self.engine = None

    def _folder(self, name, user, mode):
        folder = self.directory / name
        folder.mkdir(mode=mode)
        os.chown(folder, user, self.group)
        return folder

    def _start(self):
        arguments = ["unshare", "--mount", "--net", "sh", "-ec", READ_ONLY, "sh", self.state, self.runtime]
        arguments += [*drop(ENGINE_USER, self.group), self.program, "--socket", self.socket, "--socket-group", GROUP]
        arguments += ["--node-key", self.state / "node.key", "--listen", "127.0.0.1:9000"]
        self.engine = Process("engine", arguments, self.log)
        self.addCleanup(self.engine.stop)

    def _started(self):
        return self.log.read_text().count("engine_started") if self.log.exists() else 0

    def _start_and_wait(self):
        before = self._started()
        self._start()
        wait_until(lambda: self._started() > before, e2e.PATIENCE_S, "the engine to start")

    def _connect_as(self, user, *groups):
        code = f"import socket; socket.socket(socket.AF_UNIX).connect({str(self.socket)!r})"
        command = [*drop(user, user, *groups), sys.executable, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_it_lacks_nothing(self):
        self._start_and_wait()
        status = pathlib.Path(f"/proc/{self.engine.pid}/status").read_text()
        for line in (f"Uid:\t{ENGINE_USER}\t{ENGINE_USER}\t{ENGINE_USER}", "CapEff:\t0000000000000000",
                     "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"):
            self.assertIn(line, status)
        mounts = pathlib.Path(f"/proc/{self.engine.pid}/mounts").read_text()
        self.assertRegex(mounts, r"(?m)^\S+ / \S+ ro[, ]")
        self.assertEqual(self.socket.stat().st_mode & 0o777, 0o660)
        self.assertEqual((self.state / "node.key").stat().st_mode & 0o777, 0o600)
        self.assertEqual(self._connect_as(BEACON_USER, self.group).stderr, "")
        self.assertIn("PermissionError", self._connect_as(STRANGER).stderr)
        self.assertNotIn(" error ", self.log.read_text())
        self.assertEqual(self.engine.stop(), 0)
        self.assertFalse(self.socket.exists())

    def test_a_beacon_of_the_group_attaches_after_every_restart(self):
        data = self._folder("beacon", BEACON_USER, 0o700)
        genesis = self.directory / "genesis"
        keys = network.make_keys(e2e.BUILD_DIR, self.directory / "keys", range(1), 8, 64, quiet=True)
        subprocess.run([e2e.BUILD_DIR / "bin" / "lean-beacon", "genesis", "--output", genesis, "--genesis-delay", "3600",
                        "--xmss-log-lifetime", "8", "--pubkeys-from", keys], check=True, capture_output=True)
        program = self.directory / "lean-beacon"
        shutil.copy(e2e.BUILD_DIR / "bin" / "lean-beacon", program)
        address = f"127.0.0.1:{network.free_port()}"
        beacon = Process("beacon", [*drop(BEACON_USER, BEACON_USER, self.group), program, "run", "--genesis", genesis,
                                    "--data", data / "chain", "--rpc-address", address,
                                    "--network-engine", f"unix:{self.socket}"], self.directory / "beacon.log")
        self.addCleanup(beacon.stop)
        rpc = BeaconRpc(address, e2e.BUILD_DIR)
        self.addCleanup(rpc.close)
        attached = lambda: (self.directory / "beacon.log").read_text().count("network_engine_attached")
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        for restart in range(6):
            self._start()
            # At any moment: before it listens, while the beacon connects, and later.
            time.sleep(chance.uniform(0, 0.3))
            self.engine.kill()
            before = attached()
            self._start_and_wait()
            wait_until(lambda before=before: attached() > before, e2e.PATIENCE_S,
                       f"the beacon to attach after restart {restart}, seed {seed}")
            self.engine.kill()
        ids = set(re.findall(r"engine_started .*peer_id=(\w+)", self.log.read_text()))
        self.assertEqual(len(ids), 1, "the key stays")


if __name__ == "__main__":
    e2e.main()
