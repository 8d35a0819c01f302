"""A signal to stop ends every wait, and no signal is lost."""

import os
import pty
import signal
import socket
import termios
import time

import e2e
from leandev import network
from leandev.processes import Process, wait_until

VALIDATOR = e2e.BUILD_DIR / "bin" / "lean-validator"
BEACON = e2e.BUILD_DIR / "bin" / "lean-beacon"
PASSWORD = "correct horse battery staple"
# One second on an idle machine. A command whose signal was lost would wait for longer, or do all of its work and say so.
END_S = 60


def echoes(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


class StopTest(e2e.NetworkTest):
    def setUp(self):
        super().setUp()
        self.password = self.directory / "password"
        self.password.touch(mode=0o600)
        self.password.write_text(PASSWORD, encoding="ascii")

    def start(self, name, *arguments, program=VALIDATOR):
        process = Process(name, [program, *arguments], self.directory / f"{name}.log")
        self.addCleanup(process.kill)
        return process

    def said(self, process, text):
        wait_until(lambda: text in process.log_tail(999), e2e.PATIENCE_S, f"{process.name} to say {text}")

    def stops(self, process, code=0):
        begin = time.monotonic()
        process.signal(signal.SIGTERM)
        self.assertEqual(process.wait(END_S), code, process.log_tail(99))
        print(f"{process.name}: stopped after {time.monotonic() - begin:.2f} s")

    def make_keys(self, name, count, *options):
        made = self.start(f"making-{name}", "keys", "new", "--output", self.directory / name, "--indices",
                          f"0..{count - 1}", "--xmss-log-lifetime", "8", *options)
        self.assertEqual(made.wait(e2e.PATIENCE_S), 0, made.log_tail())
        return self.directory / name / "keystores.yaml"

    def test_a_signal_at_the_end_of_the_opening_is_not_lost(self):
        # Unencrypted keys, so that the steps after the password take no time.
        keys = self.make_keys("keys", 1, "--plain")
        fifo = self.directory / "fifo"
        os.mkfifo(fifo, 0o600)
        client = self.start("client", "run", "--keystores", keys, "--password-file", fifo, "--beacon", "127.0.0.1:1")
        self.said(client, "keys opening")
        client.signal(signal.SIGTERM)
        self.said(client, "stopping signal=SIGTERM")
        # The password was read, so the client now has everything that it needs to start.
        try:
            with open(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK), "w", encoding="ascii") as writer:
                writer.write(PASSWORD)
        except OSError:
            pass  # it has ended already
        self.assertEqual(client.wait(END_S), 0, client.log_tail(99))

    def test_prompts_put_the_terminal_back(self):
        plain = self.make_keys("plain", 1, "--plain")
        encrypted = self.make_keys("encrypted", 1, "--password-file", self.password, "--kdf", "pbkdf2")
        genesis = self.directory / "genesis"
        made = self.run_beacon("genesis", "--output", genesis, "--genesis-delay", "3600", "--xmss-log-lifetime", "8",
                               "--pubkeys-from", encrypted)
        self.assertEqual(made.returncode, 0, made.stderr)
        (self.directory / "private").mkdir(mode=0o700)
        new = ("--output", self.directory / "new")
        copies = ("--keystores", self.directory / "copies" / "keystores.yaml")
        for arguments in (
                ("run", "--keystores", encrypted),
                ("sign-server", "--keystores", encrypted, "--genesis", genesis, "--records", self.directory / "records",
                 "--listen", f"unix:{self.directory}/private/socket"),
                ("keys", "verify", "--keystores", encrypted), ("keys", "new", "--indices", "0", *new),
                ("keys", "import", *copies, "--from", plain.parent / "validator_0.key", "--indices", "0"),
                ("keys", "import", *copies, "--from", encrypted.parent / "validator_0.json", "--indices", "0", "--plain"),
                ("keys", "export", "--keystores", encrypted, "--indices", "0", *new, "--never-signed", "--plain"),
                ("keymanager", "import", "--from", encrypted, "--never-signed")):
            with self.subTest(" ".join(map(str, arguments))):
                pid, terminal = pty.fork()
                if pid == 0:
                    os.execv(VALIDATOR, [str(VALIDATOR), *map(str, arguments)])
                said = b""
                while b"password" not in said:
                    said += os.read(terminal, 4096)
                self.assertFalse(echoes(terminal))
                os.kill(pid, signal.SIGTERM)
                try:
                    wait_until(lambda pid=pid: os.waitpid(pid, os.WNOHANG)[0] == pid, END_S, "its end")
                except TimeoutError:
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    raise
                self.assertTrue(echoes(terminal), said)
                os.close(terminal)

    def test_keys_that_are_copied(self):
        keys = self.make_keys("keys", 16, "--plain")
        exporting = self.start("export", "keys", "export", "--keystores", keys, "--indices", "0..15", "--output",
                               self.directory / "copies", "--never-signed", "--password-file", self.password)
        self.said(exporting, "index=0")
        self.stops(exporting, code=1)
        self.assertNotIn("index=15", exporting.log_tail(99))
        # The files that exist are complete.
        verifying = self.start("verify", "keys", "verify", "--keystores", self.directory / "copies" / "keystores.yaml",
                               "--password-file", self.password)
        self.assertEqual(verifying.wait(e2e.PATIENCE_S), 0, verifying.log_tail(99))

    def test_keys_that_are_made(self):
        making = self.start("new", "keys", "new", "--output", self.directory / "new", "--indices", "0..7",
                            "--xmss-log-lifetime", "8", "--password-file", self.password)
        self.said(making, "1 of 8 done")
        self.stops(making, code=1)
        self.assertEqual(list((self.directory / "new").iterdir()), [])

    def connect(self, port):
        """A connection to a port that a program opens sooner or later."""

        def connected():
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=e2e.PATIENCE_S)
            except ConnectionRefusedError:
                return None

        return wait_until(connected, e2e.PATIENCE_S, f"port {port} to be open")

    def test_beacon_and_client_with_callers_that_wait(self):
        net = self.make_network(clients=1)
        ports = [network.free_port(), network.free_port()]
        net.places[0].arguments = ("--metrics-address", ports[0])
        net.client_arguments = ("--metrics-address", ports[1], "--keymanager-address",
                                f"127.0.0.1:{network.free_port()}")
        net.start()
        self.wait_for(lambda s: s.slot >= 1, "genesis")
        for port in (*ports, net.settings.port):
            self.addCleanup(self.connect(port).close)
        self.stops(net.clients[0])
        self.stops(net.beacon)

    def test_hangup_is_ignored_where_it_was(self):
        net = self.make_network(clients=1, genesis_delay_s=3600)
        beacon = Process("beacon", [BEACON, "run", "--genesis", net.genesis_dir, "--rpc-address", net.settings.address,
                                     "--http-address", "off"], self.directory / "beacon.log", prefix=("nohup",))
        self.addCleanup(beacon.kill)
        self.said(beacon, "beacon_started")
        beacon.signal(signal.SIGHUP)
        self.stops(beacon)
        self.assertIn("signal=SIGTERM", beacon.log_tail())
        self.assertNotIn("SIGHUP", beacon.log_tail())

    def test_before_genesis(self):
        net = self.make_network(clients=1, genesis_delay_s=3600)
        beacon = self.start("beacon", "run", "--genesis", net.genesis_dir, "--data", self.directory / "data",
                            "--rpc-address", net.settings.address, "--http-address", "off", program=BEACON)
        client = self.start("client", "run", "--keystores", net.keystores[0], "--genesis", net.genesis_dir, "--beacon",
                            net.settings.address)
        self.said(beacon, "genesis_ahead until=")
        self.said(client, "waiting for genesis until=")
        self.stops(client)
        self.stops(beacon)


if __name__ == "__main__":
    e2e.main()
