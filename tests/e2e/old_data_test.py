"""The data folder, keystores and signing records that the programs of commit 863be51 wrote open and are continued.

`old_data/863be51.tar.xz` holds them (old_data/README.md tells how they were made). The clock of the programs is set
back, so that the keys, which have 256 slots, can still sign.
"""

import json
import re
import shutil
import subprocess
import time

import e2e
import machines
from leandev import network

ARCHIVE = e2e.ROOT / "tests" / "e2e" / "old_data" / "863be51.tar.xz"
SLOT_MS = 1000


def leaves(records):
    """By public key: (slot, root) of what it has signed, in exported records. The root of an old leaf may be missing."""
    return {
        key["pubkey"]: {(int(leaf["slot"]), leaf.get("signing_root")) for leaf in key["signed_leaves"]}
        for key in records["data"]
    }


class OldDataTest(e2e.NetworkTest):
    def setUp(self):
        super().setUp()
        shutil.unpack_archive(ARCHIVE, self.directory)
        settings = network.Settings(
            directory=self.directory / "network", build_dir=e2e.BUILD_DIR, clients=1, slot_ms=SLOT_MS,
            port=network.free_port())
        # What the programs of 863be51 told before they stopped: the chain's status, and by validator the newest slot
        # that it had signed.
        self.old = json.loads((settings.directory / "status.json").read_text(encoding="utf-8"))
        self.last_signed = max(self.old["signed"])
        self.clock = machines.SettableClock(e2e.BUILD_DIR, self.directory / "clock")
        net = self.network = network.Network(settings, beacon_prefix=self.clock.prefix)
        net.client_prefixes[0] = self.clock.prefix
        net.keystores = [settings.directory / "validators-0" / "keystores.yaml"]
        net.password_file = settings.directory / "password"
        self.addCleanup(net.stop)
        self.addCleanup(self._show_logs)

    def set_slot(self, slot):
        """Sets the clock to the beginning of a slot."""
        shift_s = self.old["genesis_time"] + slot * SLOT_MS / 1000 - time.time()
        self.clock.set(int(shift_s * 1000))

    def validator(self, *arguments):
        """Runs lean-validator to its end, which must be a success. Returns its output."""
        done = subprocess.run(
            [str(part) for part in (e2e.BUILD_DIR / "bin" / "lean-validator", *arguments)], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=e2e.PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def signed(self):
        """The leaves in the signing records. The client must be stopped."""
        output = self.directory / "records.json"
        output.unlink(missing_ok=True)
        self.validator("records", "export", "--keystores", self.network.keystores[0], "--output", output)
        return leaves(json.loads(output.read_text(encoding="utf-8")))

    def client_log(self):
        return self.network.clients[0].log_path.read_text(encoding="utf-8")

    def test_the_chain_opens_and_goes_on(self):
        net = self.network
        self.assertIn("everything fits", self.db("verify"))
        # Upgraded keys sign as well; the other tests use the keys as they are.
        upgraded = self.validator(
            "keys", "upgrade", "--keystores", net.keystores[0], "--password-file", net.password_file, "--kdf", "pbkdf2")
        self.assertEqual(upgraded.count("result=upgraded"), len(self.old["signed"]), upgraded)
        self.set_slot(self.old["head"]["slot"] + 2)
        net.start_beacon()
        status = net.rpc.status()
        for name in ("head", "justified", "finalized"):
            checkpoint = getattr(status, name)
            self.assertEqual({"slot": checkpoint.slot, "root": checkpoint.root}, self.old[name], name)
        self.assertTrue(e2e.block_at(net.rpc, self.old["finalized"]["slot"]).finalized)
        net.start_client(0)
        self.wait_for_finality(above=self.old["head"]["slot"])
        self.assertTrue(e2e.block_at(net.rpc, self.old["head"]["slot"]).finalized)

    def test_keys_open(self):
        keystores = self.network.keystores[0]
        listed = self.validator("keys", "list", "--keystores", keystores)
        self.assertEqual(listed.count("form=encrypted"), len(self.old["signed"]), listed)
        self.validator("keys", "verify", "--keystores", keystores, "--password-file", self.network.password_file)

    def test_keys_sign_only_slots_that_follow(self):
        net = self.network
        before = self.signed()
        self.assertEqual(sorted(max(slot for slot, _ in signed) for signed in before.values()), sorted(self.old["signed"]))
        # A chain that begins anew, so that every slot has something to sign that is not in the records.
        shutil.rmtree(net.data_dir())
        self.set_slot(-8)  # early enough that the keys are open before the last signed slot on a busy machine
        net.start_beacon()
        net.client_arguments = ["--no-watch"]
        net.start_client(0)
        self.wait_for(lambda s: s.votes_in_previous_slot == s.validator_count, "votes of all validators")
        net.clients[0].stop()
        refused = re.findall(r"block failed slot=(\d+) .* has already signed another root", self.client_log())
        self.assertTrue(refused)
        self.assertLessEqual(max(map(int, refused)), self.last_signed)
        for pubkey, signed in self.signed().items():
            new = [slot for slot, _ in signed - before[pubkey]]
            self.assertTrue(new)
            self.assertGreater(min(new), max(slot for slot, _ in before[pubkey]))


if __name__ == "__main__":
    e2e.main()
