"""Thousands of connections from many addresses to every server of a beacon that may open only as many descriptors as a
shell allows by default. Its duties, its database and its links continue, and later everybody is served again.

LEAN_CONNECTIONS: connections to each server. LEAN_DESCRIPTORS: descriptors that the beacon may open.
"""

import os
import resource
import urllib.request

import e2e
import held_connections
import usage
from duty_log import DutyLog, expect_none_missed
from leandev import network
from leandev.processes import Process, wait_until
from leandev.rpc import BeaconRpc

DESCRIPTORS = int(os.environ.get("LEAN_DESCRIPTORS", "1024"))
CONNECTIONS = int(os.environ.get("LEAN_CONNECTIONS", "3000"))
SERVERS = ("rpc", "metrics")
SLOT_MS = 1200


class ConnectionsTest(e2e.NetworkTest):
    def test_a_burst_that_is_held(self):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < CONNECTIONS + 100:
            self.skipTest(f"a process may open {hard} descriptors only")
        limit = ("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}", "--")
        net = self.net = self.make_network(clients=1, beacons=2, beacon_prefix=limit, slot_ms=SLOT_MS)
        metrics_port = network.free_port()
        net.places[0].arguments = ("--metrics-address", metrics_port)
        net.start()
        self.wait_for(lambda s: s.peers == 1, "the beacons to be linked")
        before = self.wait_for_finality()
        link = net.rpc.linked()[0].id
        quiet, memory = usage.descriptors(net.beacon.pid), usage.rss(net.beacon.pid)

        addresses = (net.settings.address, f"127.0.0.1:{metrics_port}")
        peak = 0
        for address in addresses:
            self.connect(address)
            peak = max(peak, usage.descriptors(net.beacon.pid))
        print(f"descriptors: {quiet} before, {peak} at most", flush=True)
        self.assertGreater(peak, quiet + 50, "some were taken in")
        self.assertLess(peak, DESCRIPTORS * 3 // 4)
        self.assertLess(usage.rss(net.beacon.pid) - memory, 200_000_000)

        # Served as usual, while they are held.
        duties = DutyLog(net.clients[0].log_path, net.settings.validators)

        def missed():
            nonlocal before
            after = self.wait_for_finality(above=before.finalized.slot + 3)
            first, before = before.slot + 1, after
            return duties.missed(first, after.slot - 1)

        expect_none_missed(missed)
        self.assertEqual(before.storage_error, "")
        self.assertEqual([peer.id for peer in net.rpc.linked()], [link])
        # Idle connections are closed in favour of active ones, although their clients keep them open.
        wait_until(self.is_served, e2e.PATIENCE_S, "a new client to be served")
        wait_until(lambda: usage.descriptors(net.beacon.pid) < quiet + 20, e2e.PATIENCE_S,
                   "the silent ones to be closed")
        page = self.scrape(metrics_port)
        for listener in SERVERS:
            self.assertIn(f'lean_beacon_listener_answers{{listener="{listener}"}} 1', page)

    def connect(self, address):
        """Returns when all connections are open. They are held until the end of the test."""
        log = self.directory / f"connections-{address}.log"
        command = ["/usr/bin/python3", held_connections.__file__, address, str(CONNECTIONS)]
        process = Process("connections", command, log)
        self.addCleanup(process.kill)
        wait_until(lambda: log.read_text(encoding="utf-8").strip() == str(CONNECTIONS), e2e.PATIENCE_S,
                   f"{CONNECTIONS} connections to {address}")

    def is_served(self):
        """Whether the RPC server answers on a new connection."""
        rpc = BeaconRpc(self.net.settings.address, e2e.BUILD_DIR)
        try:
            return rpc.try_status()
        finally:
            rpc.close()

    def scrape(self, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=e2e.PATIENCE_S) as answer:
            return answer.read().decode()


if __name__ == "__main__":
    e2e.main()
