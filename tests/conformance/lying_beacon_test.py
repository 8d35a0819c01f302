"""Beacons that lie about genesis and slots: no key of our client signs slots that are far ahead, and honest beacons are
served afterwards."""

import json
import re
import shutil
import subprocess
import time

import e2e
import kit  # makes leanconformance importable  # pylint: disable=unused-import
from leandev.processes import Process, wait_until

from leanconformance import ssz
from leanconformance.fake_beacon import FakeBeacon, registry_of
from leanconformance.fake_chain import FakeChain
from leanconformance.keys import read_keys

VALIDATOR = e2e.BUILD_DIR / "bin" / "lean-validator"
SLOT_MS = 800
# A chain that is older than the 1,024 slots which a client signs on a beacon's word, and younger than the keys' last slot.
OLD_SLOTS = 1400
ACTIVE_SLOTS = 4096
# More than the honest chain of a test can come to, and fewer than those of the old chain.
YOUNG_SLOTS = 1300


class LyingBeaconTest(e2e.NetworkTest):
    def setUp(self):
        super().setUp()
        self.net = self.make_network(clients=1, validators=2, slot_ms=SLOT_MS, active_slots=ACTIVE_SLOTS)
        self.keystores = self.net.keystores[0]
        self.keys = read_keys(self.keystores)

    def start_beacon(self, genesis_time, slot_ms=SLOT_MS, root_of_time=None):
        """A scripted beacon. Its genesis root is that of `root_of_time`, which differs from `genesis_time` if it lies."""
        root = ssz.genesis_block_root(root_of_time or genesis_time, registry_of(self.keys))
        beacon = FakeBeacon(
            FakeChain(len(self.keys), "seed", root), self.keys, genesis_time, slot_ms / 1000, e2e.XMSS_LOG_LIFETIME)
        beacon.start()
        self.addCleanup(beacon.stop)
        return beacon

    def start_client(self, beacon, *arguments):
        client = Process(
            "client", [VALIDATOR, "run", "--keystores", self.keystores, "--beacon", beacon.address, *arguments],
            self.directory / "client.log")
        self.addCleanup(client.stop)
        return client

    def wait_for_line(self, client, text):
        def said():
            self.assertTrue(client.running(), client.log_tail(30))
            return text in client.log_path.read_text(encoding="utf-8")

        wait_until(said, e2e.PATIENCE_S, f"the client to say: {text}")

    def wait_for_votes(self, beacon, client):
        """Until every key has voted at that beacon."""

        def voted():
            self.assertTrue(client.running(), client.log_tail(30))
            with beacon.lock:
                return {s.vote.validator_index for s in beacon.calls.submissions} == set(self.keys)

        try:
            wait_until(voted, e2e.PATIENCE_S, "votes of every key")
        except TimeoutError as error:
            self.fail(f"{error}:\n{client.log_tail(30)}")

    def highest_slots(self):
        """Of the signing records, by public key."""
        output = self.directory / f"records-{time.monotonic_ns()}.json"
        done = subprocess.run([VALIDATOR, "records", "export", "--keystores", self.keystores, "--output", output],
                              capture_output=True, text=True, check=False, timeout=e2e.PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {
            key["pubkey"]: max(int(leaf["slot"]) for leaf in key["signed_leaves"])
            for key in json.loads(output.read_text())["data"]
        }

    def expect_the_honest_chain_served(self):
        """The keys vote on a real, young chain, and that is all that they have signed."""
        self.net.start_beacon()
        self.net.start_client(0)
        self.wait_for_missing([])
        self.assertEqual(self.net.clients[0].stop(), 0)
        highest = self.highest_slots()
        self.assertEqual(len(highest), len(self.keys))
        self.assertLess(max(highest.values()), YOUNG_SLOTS)

    def test_slots_of_another_length_are_refused(self):
        beacon = self.start_beacon(int(time.time() - OLD_SLOTS * SLOT_MS / 1000))
        client = self.start_client(beacon)
        self.wait_for_line(client, f"WRONG_SPEC: slots of {SLOT_MS} ms, 4000 here (default)")
        self.wait_for_line(client, f"or --slot-ms {SLOT_MS}")
        self.assertEqual(client.stop(), 0)
        self.assertEqual(self.highest_slots(), {})
        self.expect_the_honest_chain_served()

    def test_an_old_genesis_is_signed_for_on_the_operators_word_alone(self):
        genesis_time = int(time.time() - OLD_SLOTS * SLOT_MS / 1000)
        beacon = self.start_beacon(genesis_time)
        client = self.start_client(beacon, "--slot-ms", SLOT_MS)
        self.wait_for_line(client, "network not named")
        self.wait_for_line(client, "as far as records and own clock reach: name the network by --genesis")
        self.wait_for_line(client, "--allow-slots-to")
        self.assertEqual(client.stop(), 0)
        self.assertEqual(self.highest_slots(), {})
        self.assertEqual(beacon.calls.submissions, [])
        self.expect_the_honest_chain_served()

    def test_an_old_chain_is_served_with_fresh_keys_by_whoever_names_it(self):
        genesis_time = int(time.time() - OLD_SLOTS * SLOT_MS / 1000)
        folder = self.directory / "old"
        shutil.copytree(self.net.genesis_dir, folder)
        config = folder / "config.yaml"
        config.write_text(re.sub(r"(?m)^GENESIS_TIME: .*$", f"GENESIS_TIME: {genesis_time}", config.read_text()))
        beacon = self.start_beacon(genesis_time)
        root = "0x" + beacon.chain.genesis_root.hex()
        for arguments in (("--genesis", folder), ("--genesis-root", root, "--slot-ms", SLOT_MS),
                          ("--allow-slots-to", OLD_SLOTS + 2000, "--slot-ms", SLOT_MS)):
            with self.subTest(arguments[0]):
                with beacon.lock:
                    beacon.calls.submissions.clear()
                for file in self.keystores.parent.glob("*.sqlite*"):
                    file.unlink()
                client = self.start_client(beacon, *arguments)
                self.wait_for_votes(beacon, client)
                self.assertEqual(client.stop(), 0)

    def test_a_root_binds_the_genesis_time(self):
        genesis_time = int(time.time()) - 2
        beacon = self.start_beacon(genesis_time - 3600, root_of_time=genesis_time)
        root = "0x" + beacon.chain.genesis_root.hex()
        client = self.start_client(beacon, "--genesis-root", root, "--slot-ms", SLOT_MS)
        self.wait_for_line(client, "do not give the genesis root it names")
        self.assertEqual(beacon.calls.submissions, [])
        beacon.genesis_time = genesis_time
        self.wait_for_votes(beacon, client)
        self.assertEqual(client.stop(), 0)
        self.assertLess(max(self.highest_slots().values()), YOUNG_SLOTS)


if __name__ == "__main__":
    e2e.main()
