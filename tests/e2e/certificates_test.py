"""Certificates on every port of real processes: who is let in, who may do what, what the others are told, and how a
certificate is replaced."""

import re
import socket
import ssl
import subprocess

import certificates
import e2e
import metrics_page
from leandev import network
from leandev.processes import Process, wait_until
from leandev.rpc import BeaconRpc

BEACON = e2e.BUILD_DIR / "bin" / "lean-beacon"
VALIDATOR = e2e.BUILD_DIR / "bin" / "lean-validator"
DAY_S = 24 * 3600


class CertificatesTest(e2e.NetworkTest):
    def certs(self, *arguments):
        done = subprocess.run([BEACON, "certs", *map(str, arguments)], capture_output=True, text=True, check=False,
                              timeout=e2e.PATIENCE_S)
        return done.returncode, done.stdout + done.stderr

    def test_wrong_clients_are_refused_and_told(self):
        net = self.make_network(clients=6, validators=6)
        net.make_certificates()
        keymanager = f"127.0.0.1:{network.free_port()}"
        own = net.certificates / net.client_name(0)
        net.start_beacon()
        net.client_arguments = ["--keymanager-address", keymanager, "--keymanager-tls-dir", net.certificates / "beacon"]
        net.start_client(0)
        net.client_arguments = []
        made = certificates.make(self.directory / "foreign", "client")
        authority = ("--tls-ca", own / "ca.pem")
        refused = {
            "no certificate": (authority, "the server wants a certificate of this client"),
            "another authority": ((*authority, "--tls-cert", made["client"].cert, "--tls-key", made["client"].key),
                                  "it is not of the authority that the server expects"),
            "no trust": (("--tls-ca", made["authority"].cert), "the server's certificate is of the authority"),
            "wrong role": (("--tls-dir", net.certificates / "admin"), "needs a certificate with the role lean://validator/"),
            "plain text": ((), "the server speaks TLS"),
        }
        clients = {}
        for number, (name, (arguments, words)) in enumerate(refused.items(), start=1):
            command = [VALIDATOR, "run", "--keystores", net.keystores[number], "--genesis", net.genesis_dir, "--beacon",
                       net.settings.address, *arguments]
            clients[name] = Process(name, command, self.directory / f"{name}.log".replace(" ", "-")), words
            self.addCleanup(clients[name][0].stop)
        for name, (client, words) in clients.items():
            with self.subTest(name):
                wait_until(lambda: words in client.log_tail(50), e2e.PATIENCE_S, f"the words of {name}")
        # The one with a certificate of its role does its duties beside them.
        self.wait_for(lambda s: s.slot >= 2 and 0 not in s.missing_in_previous_slot, "the honest client's votes")
        self.expect_roles_of_the_keymanager(net, keymanager)

    def expect_roles_of_the_keymanager(self, net, address):
        for name, words in (("admin", "active"), (net.client_name(0), "needs a certificate with the role lean://operator/"),
                            (None, "the server speaks TLS")):
            files = () if name is None else ("--tls-dir", net.certificates / name)
            done = subprocess.run([VALIDATOR, "keymanager", "--address", address, *files, "list"], capture_output=True,
                                  text=True, check=False, timeout=e2e.PATIENCE_S)
            self.assertIn(words, done.stdout + done.stderr)
            self.assertEqual(done.returncode, 0 if name == "admin" else 1, done.stderr)

    def test_a_certificate_is_replaced_without_a_restart(self):
        net = self.make_network(clients=1)
        net.make_certificates(days=3)
        port = network.free_port()
        net.places[0].arguments = ("--metrics-address", port)
        client_port = network.free_port()
        net.client_arguments = ["--metrics-address", client_port]
        net.start()
        self.wait_for(lambda s: s.slot >= 1 and s.votes_in_slot, "votes")
        for process, name in ((net.beacon, "rpc"), (net.clients[0], "beacons")):
            wait_until(lambda: f"certificate_ends_soon tls={name}" in process.log_path.read_text(encoding="utf-8"),
                       e2e.PATIENCE_S, f"{process.name} to say that its certificate ends soon")
        end = 'lean_beacon_certificate_end_seconds{tls="rpc"}'
        client_end = 'lean_validator_certificate_end_seconds{tls="beacons"}'
        before = metrics_page.scrape(port)[end]
        self.assertEqual(metrics_page.scrape(client_port)[client_end], before)
        # The beacon tells an observer with a certificate how it is protected.
        node = net.rpc.node_info()
        self.assertEqual((node.tls, node.insecure_rpc), (True, False))
        connected = self.served_until(net)
        code, said = self.certs("renew", "--folder", net.certificates, "--days", 60)
        self.assertEqual(code, 0, said)
        for process in (net.beacon, net.clients[0]):
            wait_until(lambda: "tls_files_taken" in process.log_tail(50), e2e.PATIENCE_S, "the new files to be taken")
        self.assertAlmostEqual(self.served_until(net) - connected, 57 * DAY_S, delta=60)
        self.assertAlmostEqual(metrics_page.scrape(port)[end] - before, 57 * DAY_S, delta=60)
        self.assertAlmostEqual(metrics_page.scrape(client_port)[client_end] - before, 57 * DAY_S, delta=60)
        slot = net.rpc.status().slot
        self.wait_for(lambda s: s.slot > slot + 1 and s.votes_in_previous_slot == 4, "a slot with all votes")

    def served_until(self, net):
        """When the certificate ends that the beacon shows now, in Unix seconds."""
        folder = net.certificates / "observer"
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        with socket.create_connection((net.settings.host, net.settings.port), timeout=e2e.PATIENCE_S) as connection:
            with context.wrap_socket(connection, server_hostname=net.settings.host) as tls:
                return ssl.cert_time_to_seconds(tls.getpeercert()["notAfter"])

    def test_new_certificates_overwrite_nothing(self):
        folder = self.directory / "certs"
        code, said = self.certs("new", "--folder", folder, "--beacon", "one=10.0.0.1", "--validator", "alice")
        self.assertEqual(code, 0, said)
        files = {path: path.read_bytes() for path in folder.rglob("*.pem")}
        self.assertEqual(len(files), 2 + 2 * 3)
        for path in folder.rglob("key.pem"):
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        for command, words in ((("new", "--beacon", "one"), "exists; nothing was changed"),
                               (("add", "--validator", "bob", "--validator", "alice"), "alice exists"),
                               (("add",), "name the nodes"), (("add", "--beacon", "two=10.0.0.2:5052"), "--beacon: two:")):
            code, said = self.certs(command[0], "--folder", folder, *command[1:])
            self.assertEqual(code, 1, said)
            self.assertIn(words, said)
        self.assertEqual({path: path.read_bytes() for path in folder.rglob("*.pem")}, files)
        verified = subprocess.run(["openssl", "verify", "-CAfile", folder / "alice" / "ca.pem", "-purpose", "sslserver",
                                   folder / "one" / "cert.pem"], capture_output=True, text=True, check=False)
        self.assertEqual(verified.returncode, 0, verified.stderr)

    def test_other_machines_need_certificates(self):
        net = self.make_network(clients=1)
        run = (BEACON, "run", "--genesis", net.genesis_dir, "--rpc-address", "0.0.0.0:0")
        done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=e2e.PATIENCE_S)
        self.assertEqual(done.returncode, 1, done.stderr)
        for words in ("callers need certificates", "--tls-dir", "lean-beacon certs new", "--insecure-rpc"):
            self.assertIn(words, done.stderr)
        beacon = Process("open", [*run, "--insecure-rpc"], self.directory / "open.log")
        self.addCleanup(beacon.stop)
        wait_until(lambda: "beacon_started" in beacon.log_tail(), e2e.PATIENCE_S, "the open beacon")
        self.assertRegex(beacon.log_tail(), r"rpc_open name=rpc address=0\.0\.0\.0:\d+")
        port = re.search(r"rpc_open name=rpc address=0\.0\.0\.0:(\d+)", beacon.log_tail())[1]
        rpc = BeaconRpc(f"127.0.0.1:{port}", e2e.BUILD_DIR)
        self.addCleanup(rpc.close)
        self.assertEqual((rpc.node_info().tls, rpc.node_info().insecure_rpc), (False, True))
        self.assertFalse(rpc.serving("lean.v1.RpcAccess"))
        self.assertTrue(rpc.serving("lean.v1.DutyService"))
        # On loopback nothing is said.
        net.start_beacon()
        self.assertFalse(net.rpc.node_info().insecure_rpc)
        self.assertTrue(net.rpc.serving("lean.v1.RpcAccess"))
        self.assertNotIn("rpc_open", net.beacon.log_tail())

    def test_a_checkpoint_comes_with_tls(self):
        net = self.make_network(clients=1)
        net.make_certificates()
        net.start()
        final = self.wait_for_finality().finalized.root
        folder = net.certificates / "beacon"
        command = [BEACON, "run", "--genesis", net.genesis_dir, "--rpc-address", "127.0.0.1:0", "--checkpoint",
                   net.settings.address, "--checkpoint-root", final, "--tls-dir", folder]
        late = Process("late", [*command, "--checkpoint-tls-ca", folder / "ca.pem"], self.directory / "late.log")
        self.addCleanup(late.stop)
        wait_until(lambda: "beacon_started" in late.log_tail(), e2e.PATIENCE_S, "the beacon of a checkpoint")
        self.assertRegex(late.log_tail(), r"checkpoint slot=[1-9]")


if __name__ == "__main__":
    e2e.main()
