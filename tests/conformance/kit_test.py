"""The kit judges our client and our beacon, which pass, and ones that are wrong, whose rules fail."""

import shutil
import time

import e2e
import kit

from leanconformance.beacon_judge import BeaconJudge
from leanconformance.fake_beacon import FakeBeacon
from leanconformance.fake_chain import FakeChain
from leanconformance.keys import read_keys

VALIDATOR = e2e.BUILD_DIR / "bin" / "lean-validator"
# Of the kit's script: a quarter of it is an interval, on a machine that does other things, too.
SLOT_MS = 2400


class KitTest(e2e.NetworkTest):
    def own_keystores(self):
        """A copy of shared keys, so that what a client keeps beside them is of this test alone."""
        folder = self.directory / "keys"
        shutil.copytree(e2e.shared_keys(clients=2)[0].parent, folder)
        return folder / "keystores.yaml"

    def start_twin(self, keystores):
        """Options of the kit for a second client, as on another machine. Only as root there is one, and the rule about it."""
        if not e2e.have_namespaces():
            return (), {"second-client"}
        genesis_time = int(time.time()) + 12
        kit.make_genesis(self.directory / "genesis", [keystores], genesis_time, SLOT_MS)
        _, _, address = kit.start_signer(self, keystores, self.directory / "genesis", prefix=e2e.APART)
        return ("--genesis-time", genesis_time, "--twin", address), set()

    def test_our_client_passes(self):
        keystores = self.own_keystores()
        twin, untried = self.start_twin(keystores)
        code, verdicts, said = kit.judge_client(
            self, keystores, SLOT_MS, *twin, "--", VALIDATOR, "run", "--keystores", keystores, "--beacon", "{beacon}",
            "--genesis-root", "{genesis_root}", "--slot-ms", SLOT_MS)
        self.assertEqual(code, 0, said)
        self.assertEqual({rule for rule, verdict in verdicts.items() if verdict != "PASS"}, untried, said)

    def test_our_client_is_not_misled_by_one_of_three_beacons(self):
        keystores = self.own_keystores()
        code, verdicts, said = kit.judge_client(
            self, keystores, SLOT_MS, "--", VALIDATOR, "run", "--keystores", keystores, "--beacon", "{beacons}",
            "--genesis-root", "{genesis_root}", "--slot-ms", SLOT_MS)
        self.assertEqual(code, 0, said)
        self.assertEqual(set(verdicts.values()), {"PASS"}, said)

    def test_a_naive_client_fails(self):
        keystores = e2e.shared_keys(clients=2)[0]
        twin, untried = self.start_twin(keystores)
        code, verdicts, said = kit.judge_client(
            self, keystores, SLOT_MS, *twin, "--", kit.NAIVE_CLIENT, "{beacon}", keystores)
        self.assertEqual(code, 1, said)
        failed = {rule for rule, verdict in verdicts.items() if verdict == "FAIL"}
        self.assertGreaterEqual(failed | untried, {
            "one-root-a-leaf", "no-future-slot", "vote-checked", "block-checked", "late-answers", "genesis-pinned",
            "clock-checked", "second-client", "signatures-verify"}, said)

    def test_our_beacon_passes(self):
        net = self.make_network(clients=2)
        net.start()
        code, verdicts, said = kit.judge(self, "judge_beacon", net.settings.address, "--keys", net.keystores[0])
        self.assertEqual(code, 0, said)
        self.assertNotIn("FAIL", verdicts.values(), said)

    def test_a_beacon_that_takes_everything_fails(self):
        keys = read_keys(e2e.shared_keys(clients=1)[0])
        beacon = FakeBeacon(FakeChain(len(keys), "seed"), keys, int(time.time()) - 3, 0.8, e2e.XMSS_LOG_LIFETIME)
        beacon.start()
        self.addCleanup(beacon.stop)
        report = BeaconJudge(beacon.address, keys).run()
        for rule in ("duties", "vote", "block", "wrong-genesis", "not-proposer", "serves-on"):
            self.assertEqual(report.verdict(rule), "PASS", report.text())
        for rule in ("duties-malformed", "submit-malformed", "unknown-validator", "bad-signature", "far-future",
                     "wrong-proposer", "proposer-vote", "refusals-change-nothing"):
            self.assertEqual(report.verdict(rule), "FAIL", report.text())


if __name__ == "__main__":
    e2e.main()
