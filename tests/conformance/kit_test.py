"""The kit judges our client and our beacon, which pass, and ones that are wrong, whose rules fail."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import e2e

HERE = pathlib.Path(__file__).resolve().parent
# Of the kit's script: a quarter of it is an interval, on a machine that does other things, too.
SLOT_MS = 1200

sys.path.insert(0, str(HERE))
os.environ["LEAN_STUBS"] = str(e2e.BUILD_DIR / "python")

from leanconformance.beacon_judge import BeaconJudge  # noqa: E402
from leanconformance.fake_beacon import FakeBeacon  # noqa: E402
from leanconformance.fake_chain import FakeChain  # noqa: E402
from leanconformance.keys import read_keys  # noqa: E402

LIFETIME = e2e.XMSS_LOG_LIFETIME
VALIDATOR = e2e.BUILD_DIR / "bin" / "lean-validator"
VERIFIER = e2e.BUILD_DIR / "bin" / "lean-conformance-verifier"


class KitTest(e2e.NetworkTest):
    def judge(self, script, *arguments):
        """Runs a script of the kit. Returns its exit code, {rule: verdict}, and what it printed."""
        report = self.directory / "report.json"
        done = subprocess.run(
            [str(part) for part in (HERE / script, *arguments[:1], "--json", report, *arguments[1:])],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=280, check=False)
        self.assertTrue(report.exists(), done.stdout)
        return done.returncode, {row["rule"]: row["verdict"] for row in json.loads(report.read_text())}, done.stdout

    def judge_client(self, keystores, *command):
        log = self.directory / "client.log"
        return self.judge(
            "judge_client", f"--keys={keystores}", "--slot-ms", SLOT_MS, "--xmss-log-lifetime", LIFETIME, "--log", log,
            "--verifier", f"{VERIFIER} {LIFETIME}", "--", *command)

    def own_keystores(self):
        """A copy of shared keys, so that what a client keeps beside them is of this test alone."""
        folder = self.directory / "keys"
        shutil.copytree(e2e.shared_keys(clients=2)[0].parent, folder)
        return folder / "keystores.yaml"

    def test_our_client_passes(self):
        keystores = self.own_keystores()
        code, verdicts, said = self.judge_client(
            keystores, VALIDATOR, "run", "--keystores", keystores, "--beacon", "{beacon}")
        self.assertEqual(code, 0, said)
        self.assertEqual(set(verdicts.values()), {"PASS"}, said)

    def test_a_naive_client_fails(self):
        keystores = e2e.shared_keys(clients=2)[0]
        code, verdicts, said = self.judge_client(keystores, HERE / "naive_client.py", "{beacon}", keystores)
        self.assertEqual(code, 1, said)
        failed = {rule for rule, verdict in verdicts.items() if verdict == "FAIL"}
        self.assertGreaterEqual(failed, {
            "one-root-a-leaf", "no-future-slot", "vote-checked", "block-checked", "late-answers", "genesis-pinned",
            "clock-checked", "signatures-verify"}, said)

    def test_our_beacon_passes(self):
        net = self.make_network(clients=2)
        net.start()
        code, verdicts, said = self.judge("judge_beacon", net.settings.address, "--keys", net.keystores[0])
        self.assertEqual(code, 0, said)
        self.assertNotIn("FAIL", verdicts.values(), said)

    def test_a_beacon_that_takes_everything_fails(self):
        keys = read_keys(e2e.shared_keys(clients=1)[0])
        beacon = FakeBeacon(FakeChain(len(keys), "seed"), keys, int(time.time()) - 3, 0.8, LIFETIME)
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
