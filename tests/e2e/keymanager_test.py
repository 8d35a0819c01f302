"""Keys are added to and removed from running clients by their keymanagers: a key moves between two clients, and neither
stops."""

import json
import os
import re
import shutil
import subprocess

import e2e
import grpc
from google.protobuf import json_format
from leandev import network
from leandev.processes import Process

PROGRAM = e2e.BUILD_DIR / "bin" / "lean-validator"
GRPCURL = os.environ.get("GRPCURL") or shutil.which("grpcurl")
SERVICE = "lean.v1.KeymanagerService"
MOVED = 3
# For a test in which no duty may be missed on a busy machine.
LONG_SLOT_MS = 4000


class KeymanagerTest(e2e.NetworkTest):
    def start(self, slot_ms=e2e.SLOT_MS):
        self.net = self.make_network(clients=2, slot_ms=slot_ms)
        self.net.password_file = self.directory / "password"
        self.net.password_file.touch(mode=0o600)
        self.net.password_file.write_text("a password\n", encoding="ascii")
        self.net.keystores = [
            network.make_keys(
                e2e.BUILD_DIR, self.directory / f"keys-{number}", self.net.client_indices(number),
                e2e.XMSS_LOG_LIFETIME, e2e.ACTIVE_SLOTS, self.net.password_file, quiet=True) for number in range(2)
        ]
        self.copy = self.directory / "copy"
        shutil.copytree(self.net.keystores[1].parent, self.copy)
        self.net.genesis_dir = self.directory / "genesis"
        self.net.make_genesis(quiet=True)
        self.addresses = [f"127.0.0.1:{network.free_port()}" for _ in range(2)]
        self.tokens = [keystores.parent / "keymanager_token" for keystores in self.net.keystores]
        self.net.start_beacon()
        for number in range(2):
            self.start_client(number)
        self.wait_for_finality()

    def start_client(self, number):
        self.net.clients[number] = Process(
            f"client-{number}",
            [
                *(PROGRAM, "run", "--keystores", self.net.keystores[number]),
                *("--password-file", self.net.password_file, "--genesis", self.net.genesis_dir),
                *("--beacon", self.net.settings.address),
                *("--keymanager-address", self.addresses[number]),
            ], self.directory / f"client-{number}.log")

    def log(self, number):
        return (self.directory / f"client-{number}.log").read_text(encoding="utf-8", errors="replace")

    def run_program(self, *arguments):
        done = subprocess.run(
            [str(part) for part in (PROGRAM, *arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=e2e.PATIENCE_S)
        return done.returncode, done.stdout

    def keymanager(self, number, *arguments):
        return self.run_program(
            "keymanager", "--address", self.addresses[number], "--token-file", self.tokens[number], *arguments)

    def votes_of(self, number, last=10):
        """The numbers of votes that the client submitted in its last duties."""
        return [int(found) for found in re.findall(r"votes submitted slot=\d+ .* votes=(\d+) ", self.log(number))][-last:]

    def test_a_key_moves_while_both_clients_run(self):
        self.start(LONG_SLOT_MS)
        # The offline command names the running client, and how to reach it.
        code, said = self.run_program(
            "keys", "delete", "--keystores", self.net.keystores[1], "--indices", MOVED, "--records-output",
            self.directory / "refused.json")
        self.assertEqual(code, 1, said)
        self.assertIn(f"in use by process {self.net.clients[1].pid}", said)
        self.assertIn(f"lean-validator keymanager --address {self.addresses[1]}", said)

        records = self.directory / "records.json"
        code, said = self.keymanager(1, "delete", "--indices", MOVED, "--records-output", records)
        self.assertEqual(code, 0, said)
        self.wait_for_missing([MOVED])
        (key,) = json.loads(records.read_text())["data"]
        highest = max(int(leaf["slot"]) for leaf in key["signed_leaves"])
        self.assertEqual(records.stat().st_mode & 0o777, 0o600)
        self.assertFalse((self.net.keystores[1].parent / f"validator_{MOVED}.json").exists())

        # Without its records the key is refused, because the chain has votes of it. The other keys continue.
        arguments = ("import", "--from", self.copy / "keystores.yaml", "--indices", MOVED, "--from-password-file",
                     self.net.password_file)
        code, said = self.keymanager(0, *arguments)
        self.assertEqual(code, 0, said)
        self.wait_for(lambda _: "key refused validator=3" in self.log(0), "the key to be refused")
        self.assertIn("there are no records of it here", self.log(0))
        code, said = self.keymanager(0, "list")
        self.assertIn("state=refused", said)
        code, said = self.keymanager(0, "delete", "--indices", MOVED, "--records-output", self.directory / "none.json")
        self.assertEqual(code, 0, said)

        code, said = self.keymanager(0, *arguments, "--records", records)
        self.assertEqual(code, 0, said)
        code, said = self.keymanager(0, "list")
        self.assertRegex(said, rf"index={MOVED} .*state=(waiting|active)")
        self.wait_for_missing([])
        self.assertIn("key added validator=3", self.log(0))
        first = int(re.search(r"key added validator=3 .*first_slot=(\d+)", self.log(0))[1])
        self.assertGreater(first, highest)

        # No other key lost a duty, and no secret was logged.
        for number in range(2):
            log = self.log(number)
            self.assertNotIn("votes failed", log)
            self.assertNotIn("refused by the beacon", log)
            self.assertNotIn("a password", log)
            self.assertNotIn(self.tokens[number].read_text().strip(), log)

        # The next start uses the current keys.
        self.assertEqual(self.net.clients[0].stop(), 0)
        self.start_client(0)
        self.wait_for(lambda _: "duties begin validators=3" in self.log(0), "a start with three keys")
        self.wait_for_missing([])

    def test_a_key_and_its_records_arrive_as_one_file(self):
        """A stopped client's key moves to a running one."""
        self.start()
        self.assertEqual(self.net.clients[1].stop(), 0)
        bundle = self.directory / "moving.json"
        stopped = ("--keystores", self.net.keystores[1], "--indices", f"2,{MOVED}")
        code, said = self.run_program(
            "keys", "export", *stopped, "--with-records", "--output", bundle, "--from-password-file",
            self.net.password_file, "--password-file", self.net.password_file, "--kdf", "pbkdf2")
        self.assertEqual(code, 0, said)
        code, said = self.run_program("keys", "delete", *stopped, "--records-output", self.directory / "deleted.json")
        self.assertEqual(code, 0, said)
        arguments = ("import", "--from", bundle, "--indices", MOVED, "--from-password-file", self.net.password_file)
        for more in (("--never-signed",), ("--records", self.directory / "deleted.json")):
            code, said = self.keymanager(0, *arguments, *more)
            self.assertEqual(code, 1, said)
            self.assertIn("moving.json has the records of its keys: leave --records and --never-signed away", said)
        code, said = self.keymanager(0, "import", "--from", bundle, "--indices", "1", *arguments[5:])
        self.assertEqual(code, 1, said)
        self.assertIn("moving.json has no key of validator 1", said)
        for result in ("imported", "duplicate"):
            code, said = self.keymanager(0, *arguments)
            self.assertEqual(code, 0, said)
            self.assertRegex(said, rf"^index={MOVED} pubkey=\S+ result={result}\n$")
        # Its records have arrived before it, and nothing of the other key has.
        content = json.loads(bundle.read_text())
        (pubkey,) = [key["keystore"]["pubkey"] for key in content["keys"] if key["validator_index"] == MOVED]
        (signed,) = [entry["signed_blocks"] for entry in content["records"]["data"] if entry["pubkey"] == f"0x{pubkey}"]
        highest = max(int(block["slot"]) for block in signed)
        code, said = self.keymanager(0, "list")
        self.assertRegex(said, rf"index={MOVED} .*state=(waiting|active) .*highest_signed={highest}\n")
        self.assertNotIn("index=2 ", said)
        self.assertIn("records imported keys=1 new_keys=1", self.log(0))

    def test_who_may_call(self):
        self.start()
        self.assertEqual(self.tokens[0].stat().st_mode & 0o777, 0o600)
        from lean.v1 import keymanager_pb2, keymanager_pb2_grpc  # pylint: disable=import-outside-toplevel
        with grpc.insecure_channel(self.addresses[0]) as channel:
            stub = keymanager_pb2_grpc.KeymanagerServiceStub(channel)
            request = keymanager_pb2.ListKeystoresRequest()
            token = self.tokens[0].read_text().strip()
            for shown in (None, "", "Bearer", f"Bearer {token[:-1]}", f"Bearer {token}x", token, f"Basic {token}"):
                metadata = [("authorization", shown)] if shown is not None else []
                with self.subTest(shown), self.assertRaises(grpc.RpcError) as refused:
                    stub.ListKeystores(request, metadata=metadata, timeout=e2e.PATIENCE_S)
                self.assertEqual(refused.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
                self.assertNotIn(token, refused.exception.details())
            answer = stub.ListKeystores(
                request, metadata=[("authorization", f"Bearer {token}")], timeout=e2e.PATIENCE_S)
            listed = json_format.MessageToDict(answer)["keystores"]
        self.assertEqual([key.get("validatorIndex", "0") for key in listed], ["0", "1"])
        self.assertEqual({key["state"] for key in listed}, {"KEYSTORE_STATE_ACTIVE"})
        code, said = self.run_program(
            "run", "--keystores", self.net.keystores[0], "--keymanager-address", "0.0.0.0:0")
        self.assertEqual(code, 1, said)
        self.assertIn("without TLS", said)
        if GRPCURL:
            self.ask_with_grpcurl(token)

    def ask_with_grpcurl(self, token):
        def grpcurl(*arguments):
            return subprocess.run(
                [GRPCURL, "-plaintext", "-import-path", e2e.ROOT / "proto", "-proto", "lean/v1/keymanager.proto", *arguments],
                capture_output=True, text=True, check=False, timeout=e2e.PATIENCE_S)

        refused = grpcurl(self.addresses[0], f"{SERVICE}/ListKeystores")
        self.assertIn("Unauthenticated", refused.stderr)
        done = grpcurl("-H", f"authorization: Bearer {token}", self.addresses[0], f"{SERVICE}/ListKeystores")
        self.assertEqual(len(json.loads(done.stdout)["keystores"]), 2, done.stderr)


if __name__ == "__main__":
    e2e.main()
