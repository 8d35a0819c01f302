"""The validator client in Python, signing through `lean-validator sign-server`: beside ours in a devnet, and judged by the
kit."""

import shutil
import time

import certificates
import e2e
import kit
from leandev import network
from leandev.processes import Process

SLOT_MS = 2400


class PythonClientTest(e2e.NetworkTest):
    def start_signer(self, keystores, genesis_dir, listen=None, *arguments, prefix=()):
        """Returns the copy of the keys that it works with, and its address."""
        self.signer, copy, address = kit.start_signer(self, keystores, genesis_dir, listen, *arguments, prefix=prefix)
        return copy, address

    def start_half(self):
        """Starts a beacon, and one of two clients. Returns the network."""
        net = self.make_network(clients=2)
        net.start_beacon()
        net.start_client(0)
        return net

    def test_in_a_devnet_beside_ours(self):
        net = self.start_half()
        _, address = self.start_signer(net.keystores[1], net.genesis_dir)
        client = Process(
            "python", [kit.PYTHON_CLIENT, "--beacon", net.settings.address, "--signer", address],
            self.directory / "python.log")
        self.addCleanup(client.stop)
        try:
            # Two of four validators are the Python client's: without it nothing is finalized.
            status = self.wait_for_finality(above=3)
            self.wait_for(lambda s: s.votes_in_previous_slot == 4, "a slot with all four votes")
        except AssertionError:
            print(client.log_tail(30), self.signer.log_tail(30), sep="\n---\n")
            raise
        proposers = {block.proposer_index for block in map(self.block_at, range(1, status.head.slot + 1)) if block}
        self.assertGreaterEqual(proposers, {0, 1, 2, 3} if status.head.slot > 8 else {2, 3}, client.log_tail(30))
        self.assertEqual(client.stop(), 0, client.log_tail())

    def test_our_client_uses_the_signer(self):
        net = self.start_half()
        _, address = self.start_signer(net.keystores[1], net.genesis_dir)
        client = Process(
            "remote",
            [
                *(e2e.BUILD_DIR / "bin" / "lean-validator", "run", "--signer", address, "--genesis", net.genesis_dir),
                *("--beacon", net.settings.address),
            ],
            self.directory / "remote.log")
        self.addCleanup(client.stop)
        try:
            self.wait_for_finality(above=3)
            self.signer.kill()
            self.wait_for_missing([2, 3])
            self.assertTrue(client.running(), "it waits for its signer")
        except AssertionError:
            print(client.log_tail(30), self.signer.log_tail(30), sep="\n---\n")
            raise
        self.assertEqual(client.stop(), 0, client.log_tail())

    def test_our_client_uses_a_signer_by_certificates(self):
        net = self.start_half()
        files = certificates.make(self.directory / "tls", "signer", "client", "stranger")
        port = network.free_port()
        self.start_signer(
            net.keystores[1], net.genesis_dir, f"127.0.0.1:{port}", "--tls-cert", files["signer"].cert, "--tls-key",
            files["signer"].key, "--tls-client-ca", files["authority"].cert)

        def client(name, *arguments):
            process = Process(
                name,
                [
                    *(e2e.BUILD_DIR / "bin" / "lean-validator", "run", "--signer", f"localhost:{port}"),
                    *("--signer-tls-ca", files["authority"].cert, "--genesis", net.genesis_dir),
                    *("--beacon", net.settings.address, *arguments),
                ],
                self.directory / f"{name}.log")
            self.addCleanup(process.stop)
            return process

        # Without a certificate of the authority nobody is let in.
        refused = [
            client("nobody"),
            client("stranger", "--signer-tls-cert", files["stranger"].cert, "--signer-tls-key", files["stranger"].key),
        ]
        known = client("known", "--signer-tls-cert", files["client"].cert, "--signer-tls-key", files["client"].key)
        try:
            self.wait_for_missing([])
        except AssertionError:
            print(known.log_tail(30), self.signer.log_tail(30), sep="\n---\n")
            raise
        self.assertEqual(known.stop(), 0, known.log_tail())
        for process in refused:
            self.assertEqual(process.wait(e2e.PATIENCE_S), 1, process.log_tail())
            self.assertIn("no keys from the signer", process.log_tail())

    def test_a_client_watches_for_a_second_one_whose_signer_is_elsewhere(self):
        if not e2e.have_namespaces():
            self.skipTest("network namespaces need root")
        net = self.start_network(clients=2)
        self.wait_for_missing([])
        # Copies of keys that sign in the other client, as if on another machine: the signer, which sees no chain, was
        # told that they are new.
        _, address = self.start_signer(net.keystores[1], net.genesis_dir, prefix=e2e.APART)
        ends = []
        for name, arguments, says in (
            ("forgetful", (), "there are no records of it here"),
            ("second", ("--new-keys",), "another client"),
        ):
            client = Process(
                name,
                [
                    *(e2e.BUILD_DIR / "bin" / "lean-validator", "run", "--signer", address, *arguments),
                    *("--genesis", net.genesis_dir, "--beacon", net.settings.address),
                ],
                self.directory / f"{name}.log")
            self.addCleanup(client.stop)
            ends.append((client, says))
        for client, says in ends:
            self.assertEqual(client.wait(e2e.PATIENCE_S), 1, client.log_tail())
            self.assertIn(says, client.log_tail())
        self.assertNotIn("signed what=", self.signer.log_tail(1000))

    def block_at(self, slot):
        return e2e.block_at(self.network.rpc, slot)

    def test_passes_the_kit(self):
        net = self.make_network(clients=2)
        genesis_time = int(time.time()) + 12
        # Only for the time of slots, which is all that a signer takes from it.
        shutil.rmtree(net.genesis_dir)
        kit.make_genesis(net.genesis_dir, net.keystores, genesis_time, SLOT_MS)
        keystores, address = self.start_signer(net.keystores[0], net.genesis_dir)
        code, verdicts, said = kit.judge_client(
            self, keystores, SLOT_MS, "--genesis-time", genesis_time, "--", kit.PYTHON_CLIENT, "--beacon", "{beacon}",
            "--signer", address)
        self.assertEqual(code, 0, f"{said}\n{self.signer.log_tail(40)}")
        # It does not watch for second clients, which is tried with --twin alone.
        self.assertEqual({rule for rule, verdict in verdicts.items() if verdict != "PASS"}, {"second-client"}, said)

    def test_our_beacon_takes_good_duties(self):
        net = self.make_network(clients=1)
        net.start_beacon()
        _, address = self.start_signer(net.keystores[0], net.genesis_dir)
        code, verdicts, said = kit.judge(
            self, "judge_beacon", net.settings.address, "--keys", net.keystores[0], "--signer", address)
        self.assertEqual(code, 0, f"{said}\n{self.signer.log_tail(20)}")
        self.assertEqual(set(verdicts.values()), {"PASS"}, said)

    def test_the_signer_refuses_to_listen_openly(self):
        net = self.make_network(clients=2)
        for listen in ("127.0.0.1:0", "0.0.0.0:0"):
            process = Process(
                "open",
                [
                    *(e2e.BUILD_DIR / "bin" / "lean-validator", "sign-server", "--keystores", net.keystores[0]),
                    *("--genesis", net.genesis_dir, "--records", self.directory / "records", "--new-keys"),
                    *("--listen", listen),
                ],
                self.directory / "open.log")
            self.addCleanup(process.stop)
            self.assertEqual(process.wait(60), 1, process.log_tail())
            self.assertIn("every client that reaches it can use its keys", process.log_tail())


if __name__ == "__main__":
    e2e.main()
