"""Properties of all servers of both programs: IPv6 addresses, reflection only where intended and limited, and the
system's error when they cannot listen."""

import os
import pathlib
import re
import shutil
import subprocess
import threading
import urllib.request

import certificates
import e2e
import grpc
import usage
from leandev import network
from leandev.processes import Process, wait_until

BEACON = e2e.BUILD_DIR / "bin" / "lean-beacon"
VALIDATOR = e2e.BUILD_DIR / "bin" / "lean-validator"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
LIST_SERVICES = b"\x3a\x00"  # ServerReflectionRequest{list_services: ""}
# From rpc::kReflectionStreams.
STREAMS = 8


class Stream:
    """A stream of reflection that stays open."""

    def __init__(self, channel):
        self._ended = threading.Event()
        self._call = channel.stream_stream(REFLECTION)(self._requests())

    def _requests(self):
        yield LIST_SERVICES
        self._ended.wait()

    def answer(self):
        """Its first answer, or the status code with which it ended."""
        try:
            return next(self._call)
        except grpc.RpcError as error:
            return error.code()

    def close(self):
        self._ended.set()
        self._call.cancel()


class ServersTest(e2e.NetworkTest):
    def stream(self, address):
        channel = grpc.insecure_channel(address)
        self.addCleanup(channel.close)
        stream = Stream(channel)
        self.addCleanup(stream.close)
        return stream

    def test_reflection_holds_few_threads(self):
        net = self.start_network(clients=1)
        self.wait_for(lambda s: s.slot >= 1, "genesis")
        first = self.stream(net.settings.address)
        self.assertIn(b"lean.v1.DutyService", first.answer())
        threads = usage.threads(net.beacon.pid)
        streams = [self.stream(net.settings.address) for _ in range(100)]
        answers = [stream.answer() for stream in streams]
        self.assertLessEqual(sum(isinstance(answer, bytes) for answer in answers), STREAMS)
        self.assertGreaterEqual(answers.count(grpc.StatusCode.RESOURCE_EXHAUSTED), 100 - STREAMS)
        self.assertLess(usage.threads(net.beacon.pid), threads + STREAMS + 8)
        for stream in (first, *streams):
            stream.close()
        wait_until(lambda: isinstance(self.stream(net.settings.address).answer(), bytes), e2e.PATIENCE_S,
                   "room for another stream")
        self.wait_for_finality()

    def test_ipv6_wherever_an_address_is_taken(self):
        net = self.make_network(clients=1, beacons=2, host="[::1]")
        metrics_ports = [network.free_port(), network.free_port()]
        keymanager = f"[::1]:{network.free_port()}"
        net.places[0].arguments = ("--metrics-address", f"[::1]:{metrics_ports[0]}")
        net.client_arguments = ("--metrics-address", f"[::1]:{metrics_ports[1]}", "--keymanager-address", keymanager)
        net.start()
        self.wait_for(lambda s: s.peers == 1, "the beacons to be linked")
        self.wait_for_finality()
        for port, name in zip(metrics_ports, ("lean_beacon_slot", "lean_validator_slot")):
            with urllib.request.urlopen(f"http://[::1]:{port}/metrics", timeout=e2e.PATIENCE_S) as answer:
                self.assertIn(name, answer.read().decode())
        token = net.keystores[0].parent / "keymanager_token"
        done = subprocess.run([VALIDATOR, "keymanager", "--address", keymanager, "--token-file", token, "list"],
                              capture_output=True, text=True, check=False, timeout=e2e.PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        # Only the RPC server has reflection.
        self.assertEqual(self.stream(keymanager).answer(), grpc.StatusCode.UNIMPLEMENTED)
        # A beacon that starts from a checkpoint at an IPv6 address.
        finalized = net.rpc.status().finalized.root
        data = self.directory / "checkpoint-data"
        process = Process("checkpoint", [
            *(BEACON, "run", "--genesis", net.genesis_dir, "--data", data, "--rpc-address", "[::1]:0"),
            *("--checkpoint", net.settings.address, "--checkpoint-root", finalized)], self.directory / "checkpoint.log")
        self.addCleanup(process.kill)
        wait_until(lambda: "beacon_started" in process.log_tail(), e2e.PATIENCE_S, "the beacon of a checkpoint")

    def test_signer_on_ipv6(self):
        net = self.make_network(clients=1)
        made = certificates.make(self.directory / "certificates", "signer", "client")
        records = self.directory / "records.sqlite"
        signer = Process("signer", [
            *(VALIDATOR, "sign-server", "--keystores", net.keystores[0], "--genesis", net.genesis_dir, "--new-keys"),
            *("--records", records, "--listen", "[::1]:0", "--tls-client-ca", made["authority"].cert),
            *("--tls-cert", made["signer"].cert, "--tls-key", made["signer"].key)], self.directory / "signer.log")
        self.addCleanup(signer.kill)
        address = wait_until(lambda: re.search(r"signer listening address=(\[::1\]:\d+) ", signer.log_tail()),
                             e2e.PATIENCE_S, "the signer")[1]
        net.start_beacon()
        client = Process("client", [
            *(VALIDATOR, "run", "--signer", address, "--signer-tls-ca", made["authority"].cert),
            *("--signer-tls-cert", made["client"].cert, "--signer-tls-key", made["client"].key),
            *("--genesis", net.genesis_dir, "--beacon", net.settings.address)], self.directory / "client.log")
        self.addCleanup(client.kill)
        self.wait_for_finality()

    def test_signer_without_reflection(self):
        net = self.make_network(clients=1)
        folder = pathlib.Path(self.directory, "socket")
        folder.mkdir(mode=0o700)
        address = f"unix:{folder}/signer"
        signer = Process("signer", [
            *(VALIDATOR, "sign-server", "--keystores", net.keystores[0], "--genesis", net.genesis_dir),
            *("--records", self.directory / "records.sqlite", "--new-keys", "--listen", address)],
            self.directory / "signer.log")
        self.addCleanup(signer.kill)
        wait_until(lambda: "signer listening" in signer.log_tail(), e2e.PATIENCE_S, "the signer")
        self.assertEqual(self.stream(address).answer(), grpc.StatusCode.UNIMPLEMENTED)

    def refused(self, *arguments, user=()):
        done = subprocess.run([*user, BEACON, "run", "--genesis", self.network.genesis_dir, *arguments],
                              capture_output=True, text=True, check=False, timeout=e2e.PATIENCE_S)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr

    def test_the_systems_own_reason(self):
        net = self.start_network(clients=1)
        for option in ("--rpc-address", "--metrics-address"):
            rpc = () if option == "--rpc-address" else ("--rpc-address", "127.0.0.1:0")
            with self.subTest(option):
                self.assertIn(f"cannot listen on {net.settings.address}: Address already in use",
                              self.refused(option, net.settings.address, *rpc))
                self.assertIn("cannot listen on 192.0.2.1:5999: Cannot assign requested address",
                              self.refused(option, "192.0.2.1:5999", "--insecure-rpc", *rpc))
                if os.geteuid() == 0 and shutil.which("setpriv"):
                    user = ("setpriv", "--bounding-set", "-net_bind_service", "--")
                    if self.low_ports_are_open(user):
                        continue
                    self.assertIn("cannot listen on 127.0.0.1:81: Permission denied (a port below 1024",
                                  self.refused(option, "127.0.0.1:81", *rpc, user=user))

    @staticmethod
    def low_ports_are_open(user):
        bind = "import socket; socket.socket().bind(('127.0.0.1', 81))"
        return subprocess.run([*user, "/usr/bin/python3", "-c", bind], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    e2e.main()
