"""One key in two clients: refused on one machine, detected on two, and never stopped by a mere claim of a beacon."""

import json
import os
import shutil
import subprocess
import tempfile

import e2e
import udp_link
from leandev.processes import Process, wait_until

PROGRAM = e2e.BUILD_DIR / "bin" / "lean-validator"
SLOT_MS = 2400
# Delay between the beacons: more than a quarter of a slot, when votes are cast, and less than half.
DELAY_S = 0.8


class TwinsTest(e2e.NetworkTest):
    def client(self, name, keystores, *arguments, prefix=()):
        process = Process(name, [PROGRAM, *arguments, "--keystores", keystores], self.directory / f"{name}.log", prefix)
        self.addCleanup(process.stop)
        return process

    def twin(self, name, folder):
        """A client's keys in another folder: as `folder` makes the file at the second path of that at the first."""
        other = self.directory / name
        other.mkdir(mode=0o700)
        for file in self.keys.parent.iterdir():
            if file.name.endswith(".key"):
                folder(file, other / file.name)
        (other / self.keys.name).write_bytes(self.keys.read_bytes())
        return other / self.keys.name

    def assert_refused(self, process, said):
        self.assertEqual(process.wait(e2e.PATIENCE_S), 1, process.log_tail())
        self.assertIn(said, process.log_tail())


class OneMachineTest(TwinsTest):
    """Nothing answers at the beacon's address, so every refusal happens before a beacon is asked."""

    def setUp(self):
        super().setUp()
        self.net = self.make_network(clients=2)
        self.keys = self.net.keystores[0]
        self.command = ("run", "--genesis", self.net.genesis_dir, "--beacon", self.net.settings.address)
        self.holder = self.client("holder", self.keys, *self.command)
        wait_until(lambda: "validator client starting" in self.holder.log_tail(), e2e.PATIENCE_S, "the holder's start")

    def test_copies_and_links_are_refused(self):
        twins = {
            name: self.twin(name, make) for name, make in (
                ("copy", lambda file, other: shutil.copy2(file, other)),
                ("hard_link", lambda file, other: other.hardlink_to(file)),
                ("symbolic_link", lambda file, other: other.symlink_to(file)))
        }
        in_use = f"it is in use by process {self.holder.pid} of user id {os.getuid()}: two clients with the same keys"
        for name, keystores in twins.items():
            with self.subTest(name):
                self.assert_refused(self.client(name, keystores, *self.command), in_use)
        self.assert_refused(
            self.client("signer", twins["copy"], "sign-server", "--genesis", self.net.genesis_dir, "--records",
                        self.directory / "signer.sqlite", "--new-keys", "--listen", f"unix:{self.directory}/socket"),
            in_use)
        if e2e.have_namespaces():
            for name in ("hard_link", "symbolic_link"):
                with self.subTest(f"{name}, in another network namespace"):
                    self.assert_refused(self.client(f"{name}_apart", twins[name], *self.command, prefix=e2e.APART),
                                        "it is in use by another process, by this or another name of the file")

        # Its locks end with it, however it ends.
        self.holder.kill()
        copy = self.client("heir", twins["copy"], *self.command)
        wait_until(lambda: "validator client starting" in copy.log_tail(), e2e.PATIENCE_S, "the heir's start")


class TwoMachinesTest(TwinsTest):
    """Two copies of a client on machines of their own, each with its own beacon. The beacons are linked, by so slow
    a cable that the two see different heads when they vote: otherwise they would sign the same, and harm nobody."""

    def setUp(self):
        super().setUp()
        if not e2e.have_namespaces():
            self.skipTest("network namespaces need root")
        self.net = self.make_network(clients=3, beacons=2, validators=6, slot_ms=SLOT_MS)
        # Reachable from every network namespace, and by nobody else.
        sockets = tempfile.TemporaryDirectory(prefix="lean-sockets-")
        self.addCleanup(sockets.cleanup)
        for number, place in enumerate(self.net.places):
            place.rpc_address = f"unix:{sockets.name}/beacon-{number}"
        # The second dials the first.
        self.net.places[0].dials = []
        self.net.places[1].dials = [udp_link.link_to(self, 0, delay_s=DELAY_S)[1]]
        for number in range(2):
            self.net.launch_engine(number)
            self.net.launch_beacon(number)
        for number in range(2):
            self.net.await_beacon(number)
            self.net.start_client(number)
        self.wait_for(lambda s: s.slot > 2 and s.head.slot > 1, "the first blocks")
        self.keys = self.net.keystores[2]
        e2e.copy_keys(self.keys, self.directory / "copy")
        self.lists = [self.keys, self.directory / "copy" / self.keys.name]

    def start_twins(self, *arguments):
        return [
            self.client(f"twin-{number}", keystores, "run", "--new-keys", *arguments, "--genesis", self.net.genesis_dir,
                        "--beacon", self.net.places[number].rpc_address, prefix=e2e.APART)
            for number, keystores in enumerate(self.lists)
        ]

    def signed(self, number):
        """{(public key, slot): root} of a twin that has ended."""
        output = self.directory / f"records-{number}.json"
        done = subprocess.run(
            [PROGRAM, "records", "export", "--keystores", self.lists[number], "--output", output],
            capture_output=True, text=True, check=False, timeout=e2e.PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {(key["pubkey"], leaf["slot"]): leaf.get("signing_root")
                for key in json.loads(output.read_text())["data"] for leaf in key["signed_leaves"]}

    def signed_twice(self):
        first, second = self.signed(0), self.signed(1)
        return sum(1 for leaf, root in first.items() if second.get(leaf, root) != root)

    def test_of_two_that_start_together_one_notices(self):
        twins = self.start_twins()
        wait_until(lambda: any(not twin.running() for twin in twins), e2e.PATIENCE_S, "one of the twins to end")
        ended = [twin for twin in twins if not twin.running()]
        for twin in ended:
            self.assert_refused(twin, "another client")
        if len(ended) == 1:
            other = next(twin for twin in twins if twin.running())
            self.wait_for_missing([])
            # If both had begun in the same slot, both would have ended.
            other.stop()
        twice = self.signed_twice()
        print(f"started together: {twice} leaves signed two roots", flush=True)
        self.assertLessEqual(twice, 12)

    def test_two_that_sign_at_once_both_stop(self):
        twins = self.start_twins("--no-watch")
        for twin in twins:
            self.assert_refused(twin, "another client signs with the key")
        twice = self.signed_twice()
        print(f"signing at once, unwatched: {twice} leaves signed two roots", flush=True)
        self.assertGreater(twice, 0)
        self.assertLessEqual(twice, 12)
        # A restart does not continue at once; it watches again.
        again = self.client("again", self.lists[0], "run", "--genesis", self.net.genesis_dir, "--beacon",
                            self.net.places[0].rpc_address, prefix=e2e.APART)
        wait_until(lambda: "watching for a second client" in again.log_tail(), e2e.PATIENCE_S, "a watch")


class LyingBeaconTest(TwinsTest):
    def test_claims_end_nothing(self):
        self.net = self.make_network(clients=2)
        self.net.start_beacon()
        import lying_proxy  # pylint: disable=import-outside-toplevel  # with the stubs, which that has found
        liar = lying_proxy.LyingProxy(self.net.settings.address, lying_proxy.claim)
        self.addCleanup(liar.close)
        self.wait_for(lambda s: s.slot > 1, "slots of which the clients know nothing")
        # A single lying beacon delays a start. With an honest beacon beside it, it does not.
        run = ("run", "--genesis", self.net.genesis_dir, "--beacon")
        held_up = self.client("held-up", self.net.keystores[0], *run, liar.address)
        self.client("at-work", self.net.keystores[1], *run, f"{self.net.settings.address},{liar.address}")
        self.wait_for_missing([0, 1])
        self.assertTrue(held_up.running())
        self.assertIn("votes claimed and not shown beacon=", held_up.log_tail(100))
        # When the lie ends, it begins.
        liar.lie = lying_proxy.honest
        self.wait_for_missing([])
        # A running client continues, whatever is claimed or forged.
        for lie in (lying_proxy.claim, lying_proxy.forge):
            liar.lie = lie
            begin = self.net.rpc.status().slot
            self.wait_for(lambda s, begin=begin: s.slot > begin + 3, "slots of lies")
            self.wait_for_missing([])
        self.assertNotIn("key stopped", held_up.log_tail(1000))


if __name__ == "__main__":
    e2e.main()
