"""Base classes for tests on real processes: a network with short slots in a folder of its own, and waits for
conditions.

A test ends with `e2e.main()`, which exits with 77 if all of its cases were skipped. ctest runs it. To run it by hand,
set LEAN_BUILD_DIR to a build folder, and PYTHONPATH to deploy/lib and this folder. LEAN_E2E_KEEP keeps the folders.
"""

import fcntl
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import grpc
from leandev import engine, network
from leandev.processes import wait_until

BUILD_DIR = pathlib.Path(os.environ.get("LEAN_BUILD_DIR", "build/release")).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[3]

# Short, but long enough for a busy machine with two cores. An interval is a quarter of it.
SLOT_MS = 800
# Time limit for conditions that take a few slots. Only a failing test waits this long.
PATIENCE_S = 120
# Keys that are quick to create, with more slots than any test lasts.
XMSS_LOG_LIFETIME = 16
ACTIVE_SLOTS = 1024


# A test's folder is in memory if that has this much room. On a disk that a compiler also writes to, a record takes
# seconds to become durable, so that duties are missed in tests that do not concern disks.
MEMORY_DIR = pathlib.Path("/dev/shm")
MEMORY_ROOM = 4 << 30


def folder_for_tests():
    try:
        return MEMORY_DIR if shutil.disk_usage(MEMORY_DIR).free >= MEMORY_ROOM else None
    except OSError:
        return None


_key_sets = {}  # that this process uses: by shape, the locked file and the folder


def shared_keys(clients, validators=4, set_name="a", active_slots=ACTIVE_SLOTS, log_lifetime=XMSS_LOG_LIFETIME):
    """The keystores file of each client. Every test has its own chain, and works with a copy of keys that are made once
    for a build. No two processes get the same ones at a time, since a key has one client on a machine: a set is this
    process's until it ends, and there are as many sets as tests that run at once."""
    shape = f"{set_name}-{validators}-{clients}-{log_lifetime}-{active_slots}"
    if shape not in _key_sets:
        _key_sets[shape] = _free_set(shape)
    _, folder = _key_sets[shape]
    made = folder / "made"
    # A newer program may write keys in another format.
    if not made.exists() or made.stat().st_mtime < (BUILD_DIR / "bin" / "lean-validator").stat().st_mtime:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        settings = network.Settings(BUILD_DIR, BUILD_DIR, validators=validators, clients=clients)
        for number in range(clients):
            indices = network.Network(settings).client_indices(number)
            network.make_keys(BUILD_DIR, folder / str(number), indices, log_lifetime, active_slots, quiet=True)
        made.touch()
    return [folder / str(number) / "keystores.yaml" for number in range(clients)]


def _free_set(shape):
    """The first unused set: its lock, which ends with this process, and its folder."""
    parent = BUILD_DIR / "e2e_keys"
    parent.mkdir(exist_ok=True)
    for number in itertools.count():
        folder = parent / f"{shape}-{number}"
        lock = open(f"{folder}.lock", "w", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock, folder
        except BlockingIOError:
            lock.close()


def copy_keys(keystores, folder):
    """Keys of one client for one test: its locks and records are beside them. Returns the copy's keystores file."""
    shutil.copytree(keystores.parent, folder, ignore=shutil.ignore_patterns("*.lock", "*.sqlite*"))
    return folder / keystores.name


# Runs a command in a separate network namespace, which only unix sockets cross. For the locks of keys it is another
# machine.
APART = ("unshare", "--net")


def have_namespaces():
    return subprocess.run([*APART, "true"], capture_output=True, check=False).returncode == 0


def block_at(rpc, slot):
    """The block of the canonical chain at `slot`, or None if there is none."""
    try:
        return rpc.block(slot=slot)
    except grpc.RpcError as error:
        if error.code() == grpc.StatusCode.NOT_FOUND:
            return None
        raise


def missing_engine():
    """Why there can be no network engine; empty: there can be."""
    path = engine.program(BUILD_DIR)
    return "" if path.is_file() else f"{path} was not built: its crates or its compiler were missing"


class NetworkTest(unittest.TestCase):
    """A test with a network in a folder of its own. On failure the ends of the logs are shown."""

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lean-e2e-", dir=folder_for_tests()))
        if "LEAN_E2E_KEEP" in os.environ:
            print(f"kept: {self.directory}", flush=True)
        else:
            self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.network = None

    def make_network(self, clients=2, port=None, beacon_prefix=(), slot_ms=SLOT_MS, genesis_delay_s=3,
                     active_slots=ACTIVE_SLOTS, log_lifetime=XMSS_LOG_LIFETIME, **settings):
        """A network with shared keys and a genesis, not started. Skips the test when it needs engines and there are
        none."""
        if settings.get("beacons", 1) > 1 and missing_engine():
            self.skipTest(missing_engine())
        settings = network.Settings(
            directory=self.directory / "network",
            build_dir=BUILD_DIR,
            clients=clients,
            slot_ms=slot_ms,
            genesis_delay_s=genesis_delay_s,
            xmss_log_lifetime=log_lifetime,
            active_slots=active_slots,
            port=port or network.free_port(),
            **settings,
        )
        settings.directory.mkdir()
        keys = [
            copy_keys(keystores, settings.directory / f"keys-{number}")
            for number, keystores in enumerate(
                shared_keys(clients, settings.validators, active_slots=active_slots, log_lifetime=log_lifetime))
        ]
        self.network = network.Network(settings, beacon_prefix)
        self.addCleanup(self.network.stop)
        self.addCleanup(self._show_logs)  # before they stop
        self.network.use_keys(keys)
        self.network.make_genesis(quiet=True)
        return self.network

    def start_network(self, clients=2, **settings):
        self.make_network(clients, **settings).start()
        return self.network

    def run_beacon(self, *arguments, number=None):
        """Runs lean-beacon to its end and returns what came of it. With `number`: on the folder of that beacon."""
        if number is not None:
            arguments += ("--data", self.network.data_dir(number))
        return subprocess.run([BUILD_DIR / "bin" / "lean-beacon", *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def db(self, command, *arguments, number=0):
        """Runs `lean-beacon db` on the folder of a beacon, which must succeed. Returns what it says."""
        done = self.run_beacon("db", command, *arguments, number=number)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def log_of(self, number):
        """What a beacon has logged."""
        return self.network.beacons[number].log_path.read_text(encoding="utf-8", errors="replace")

    def wait_for_log(self, number, *patterns):
        """Waits until each of these expressions matches in the log of a beacon. A thread of the program writes it, so that
        a line may be later than an answer that shows what the line says."""
        for pattern in patterns:
            wait_until(lambda found=re.compile(pattern).search: found(self.log_of(number)), PATIENCE_S,
                       f"{pattern} in the log of beacon {number}")

    def _show_logs(self):
        result = self._outcome.result
        if any(test is self for test, _ in (*result.failures, *result.errors)) or sys.exc_info()[0]:
            for process in self.network.processes():
                print(f"--- {process.name}, exit code {process.exit_code()}\n{process.log_tail(30)}", file=sys.stderr)

    def wait_for(self, condition, what, timeout_s=PATIENCE_S):
        """Waits until the beacon's status meets `condition`, and returns that status."""
        last = None

        def met():
            nonlocal last
            status = self.network.rpc.try_status()
            last = status or last
            return status if status is not None and condition(status) else None

        try:
            return wait_until(met, timeout_s, what)
        except TimeoutError as error:
            self.fail(f"{error}; the last answer was:\n{last}")

    def wait_for_all(self, condition, what, numbers=None):
        """Waits until the status of each of these beacons (all) meets `condition`, and returns the statuses."""
        rpcs = self.network.rpcs if numbers is None else [self.network.rpcs[number] for number in numbers]
        last = []

        def met():
            last[:] = [rpc.try_status() for rpc in rpcs]
            return last if all(status is not None and condition(status) for status in last) else None

        try:
            return wait_until(met, PATIENCE_S, what)
        except TimeoutError as error:
            return self.fail(f"{error}; the last answers were:\n{last}")

    def wait_for_finality(self, above=0):
        return self.wait_for(lambda s: s.finalized.slot > above, f"a finalized slot above {above}")

    def wait_for_missing(self, expected):
        """Waits for a slot in which exactly these validators did not vote. Genesis, which has no votes, does not
        count."""
        return self.wait_for(
            lambda s: s.slot > 1 and list(s.missing_in_previous_slot) == expected
            and s.votes_in_previous_slot == s.validator_count - len(expected),
            f"the validators {expected} and no others to be missing")


def main():
    # Checked by name, so that a build without the programs says what is wrong.
    for program in ("lean-beacon", "lean-validator"):
        if not (BUILD_DIR / "bin" / program).is_file():
            print(f"{BUILD_DIR / 'bin' / program} is missing: build it first, or set LEAN_BUILD_DIR", file=sys.stderr)
            sys.exit(1)
    result = unittest.main(exit=False, verbosity=2).result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun and len(result.skipped) == result.testsRun:
        for _, why in result.skipped:
            print(f"skipped: {why}")
        sys.exit(77)
    sys.exit(0)
