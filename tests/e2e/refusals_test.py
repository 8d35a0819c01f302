"""A program that cannot run ends with exit code 1 and an error that says why."""

import e2e
from leandev import network
from leandev.processes import Process, wait_until


class RefusalsTest(e2e.NetworkTest):
    def refusal_of(self, program, *arguments, timeout_s=60):
        """Runs `program run` until it ends by itself, with exit code 1. Returns what it said."""
        command = [e2e.BUILD_DIR / "bin" / program, "run", *arguments]
        process = Process(program, command, self.directory / f"refused-{program}.log")
        self.addCleanup(process.stop)
        code = process.wait(timeout_s)
        self.assertIsNotNone(code, f"{process.name} still runs:\n{process.log_tail()}")
        said = process.log_tail(30)
        self.assertEqual(code, 1, said)
        return said

    def test_port_in_use(self):
        net = self.make_network()
        net.start_beacon()
        address = net.settings.address
        self.assertIn(address, self.refusal_of("lean-beacon", "--genesis", net.genesis_dir, "--rpc-address", address))
        self.assertIsNotNone(net.rpc.try_status(), "the first beacon serves on")

    def test_a_port_of_the_client_is_in_use(self):
        net = self.make_network(clients=1)
        net.start_beacon()
        address = net.settings.address
        client = ("lean-validator", "--keystores", net.keystores[0], "--beacon", address)
        for option in ("--metrics-address", "--keymanager-address"):
            with self.subTest(option):
                self.assertIn(address, self.refusal_of(*client, option, address))
        # They left no locks behind.
        net.start_client(0)
        self.wait_for_finality()

    def test_keys_of_another_network(self):
        net = self.make_network()
        net.start_beacon()
        foreign = e2e.shared_keys(clients=2, set_name="b")[0]
        said = self.refusal_of(
            "lean-validator", "--keystores", foreign, "--slot-ms", e2e.SLOT_MS, "--beacon", net.settings.address)
        self.assertIn("the beacon's registry has another key at index 0", said)

    def test_another_genesis(self):
        net = self.make_network()
        net.start_beacon()
        client = Process(
            "client",
            [
                *(e2e.BUILD_DIR / "bin" / "lean-validator", "run", "--keystores", net.keystores[0]),
                *("--beacon", net.settings.address, "--genesis-root", "0x" + "11" * 32),
            ],
            self.directory / "client.log")
        self.addCleanup(client.stop)
        # It logs that it waits for a beacon of its own network, and does no duty for this one.
        wait_until(lambda: "this client works for 0x1111" in client.log_tail(), e2e.PATIENCE_S, "the client to say so")
        later = self.wait_for(lambda s: s.slot > 4, "four slots")
        self.assertEqual((later.head.slot, later.known_votes, later.pending_votes), (0, 0, 0))
        self.assertEqual(client.stop(), 0, client.log_tail())

    def test_genesis_folder_is_missing(self):
        address = f"127.0.0.1:{network.free_port()}"
        said = self.refusal_of("lean-beacon", "--genesis", self.directory / "nowhere", "--rpc-address", address)
        self.assertIn("nowhere", said)


if __name__ == "__main__":
    e2e.main()
