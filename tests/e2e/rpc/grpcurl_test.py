"""Real grpcurl against a running beacon: list, describe, every query, health, and an invalid request for each.

Uses the program that GRPCURL names or that is on PATH, and otherwise builds it. It is skipped where that is not possible.
"""

import json
import subprocess
import unittest

import e2e
import go_programs

BEACON = "lean.v1.BeaconService"
DUTY = "lean.v1.DutyService"
HEALTH = "grpc.health.v1.Health"
ZERO_ROOT = "0x" + "00" * 32

# A valid request (None: there is none here), and an invalid one with the reason of its refusal. A call without fields
# can only have an unknown field, which grpcurl itself refuses.
QUERIES = {
    "GetHead": ({}, {"nothing": 1}, None),
    "GetChainStatus": ({}, {"nothing": 1}, None),
    "GetBlock": ({"block": {"name": "HEAD"}}, {"block": {"root": "0x12"}}, "MALFORMED_REQUEST"),
    "GetState": ({"block": {"slot": "0"}}, {"block": {"root": ZERO_ROOT}}, "BLOCK_NOT_FOUND"),
    "GetValidators": ({"limit": "2"}, {"limit": "5000"}, "MALFORMED_REQUEST"),
    "GetForkChoice": ({}, {"limit": 20000}, "MALFORMED_REQUEST"),
    "GetLatestVotes": ({}, {"nothing": 1}, None),
    "GetParticipation": ({}, {"nothing": 1}, None),
    "GetSpec": ({}, {"nothing": 1}, None),
    "GetGenesis": ({}, {"nothing": 1}, None),
    "GetNodeInfo": ({}, {"nothing": 1}, None),
    "GetPeers": ({}, {"nothing": 1}, None),
    # Only genesis is finalized here, which is no checkpoint.
    "GetCheckpoint": (None, {"part": "STATE"}, "CHECKPOINT_NOT_FOUND"),
    # Its valid form is in test_events.
    "StreamEvents": (None, {"kinds": ["KIND_UNSPECIFIED"]}, "MALFORMED_REQUEST"),
}
# Answers without a field at the beginning of a chain without peers.
EMPTY = ("GetLatestVotes", "GetParticipation", "GetPeers")
BAD_DUTIES = {
    "GetDuties": ({"pubkeys": ["AAAA"]}, "MALFORMED_REQUEST"),
    "BuildBlock": ({"slot": "1", "genesis_block_root": "AAAA"}, "MALFORMED_REQUEST"),
    "BuildVote": ({"slot": "1"}, "MALFORMED_REQUEST"),
    "SubmitBlock": ({"block": {}}, "MALFORMED_REQUEST"),
    "SubmitVote": ({}, "MALFORMED_REQUEST"),
    "SubmitVotes": ({"votes": []}, "MALFORMED_REQUEST"),
    "GetLiveness": ({"indices": ["4096"]}, "MALFORMED_REQUEST"),
}


class GrpcurlTest(e2e.NetworkTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program, why = go_programs.tool("grpcurl", e2e.BUILD_DIR / "bin")
        if why:
            raise unittest.SkipTest(why)

    def setUp(self):
        super().setUp()
        self.make_network(clients=1).start_beacon()

    def grpcurl(self, *arguments):
        """Runs grpcurl. Returns its exit code, output and error text."""
        done = subprocess.run(
            [self.program, "-plaintext", "-max-time", "60", *arguments], capture_output=True, text=True, check=False,
            timeout=120)
        return done.returncode, done.stdout, done.stderr

    def call(self, method, request):
        return self.grpcurl("-d", json.dumps(request), self.network.settings.address, method)

    def test_list_and_describe(self):
        address = self.network.settings.address
        code, out, err = self.grpcurl(address, "list")
        self.assertEqual(code, 0, err)
        for service in (BEACON, DUTY, HEALTH):
            self.assertIn(service, out.split())
            code, described, err = self.grpcurl(address, "describe", service)
            self.assertEqual(code, 0, err)
            self.assertIn("rpc ", described)
        _, methods, _ = self.grpcurl(address, "list", BEACON)
        self.assertEqual(set(methods.split()), {f"{BEACON}.{name}" for name in QUERIES})
        _, methods, _ = self.grpcurl(address, "list", DUTY)
        self.assertEqual(set(methods.split()), {f"{DUTY}.{name}" for name in BAD_DUTIES})

    def test_every_query(self):
        for name, (good, bad, reason) in QUERIES.items():
            if good is not None:
                code, out, err = self.call(f"{BEACON}/{name}", good)
                self.assertEqual(code, 0, f"{name}: {err}")
                self.assertEqual(bool(json.loads(out)), name not in EMPTY, name)
            code, _, err = self.call(f"{BEACON}/{name}", bad)
            self.assertNotEqual(code, 0, name)
            if reason is not None:
                self.assertIn(reason, err, name)

    def test_duties(self):
        code, out, err = self.call(f"{DUTY}/GetDuties", {"slot": "5"})
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads(out)["validator_count"], "4")
        for name, (bad, reason) in BAD_DUTIES.items():
            code, _, err = self.call(f"{DUTY}/{name}", bad)
            self.assertNotEqual(code, 0, name)
            self.assertIn("InvalidArgument", err, name)
            self.assertIn(reason, err, name)

    def test_events(self):
        self.network.start_client(0)
        address, method = self.network.settings.address, f"{BEACON}/StreamEvents"
        with subprocess.Popen(
            [self.program, "-plaintext", "-max-time", "60", "-d", '{"kinds": ["BLOCK"]}', address, method],
                stdout=subprocess.PIPE, text=True) as stream:
            text = ""
            for line in stream.stdout:
                text += line
                if line == "}\n":
                    break
            stream.kill()
        (event,) = json.loads(text)["events"]
        slot = int(event["block"]["block"]["slot"])
        self.assertEqual(event["block"]["block"]["root"], e2e.block_at(self.network.rpc, slot).root)

    def test_health(self):
        for service in ("", BEACON, DUTY):
            code, out, err = self.call(f"{HEALTH}/Check", {"service": service})
            self.assertEqual(code, 0, err)
            self.assertEqual(json.loads(out), {"status": "SERVING"})
        code, _, err = self.call(f"{HEALTH}/Check", {"service": "lean.v1.Nothing"})
        self.assertNotEqual(code, 0)
        self.assertIn("NotFound", err)


if __name__ == "__main__":
    e2e.main()
