"""1,000 clients that send their requests a byte at a time, and event streams that nobody reads: no duty is missed, and
an honest client is answered within a second, not counting stalls of the machine. All come from one address."""

import os
import time

import e2e
import http_client
import slow_clients
import stalls
import usage
from duty_log import DutyLog, expect_none_missed
from leandev import network
from leandev.processes import Process, wait_until

CLIENTS = int(os.environ.get("LEAN_SLOW_CLIENTS", "1000"))
SLOTS = 8
SLOT_MS = 1200
MOST_S = 1.0
# So many in a thousand honest requests may take longer, because a machine with other work stops all processes at times.
LATE_PER_MILLE = 2
MOST_LATE_S = 3.0
MAX_RSS_MORE = 100_000_000


class HttpSlowClientsTest(e2e.NetworkTest):
    def ask_until_answered(self, address):
        """Returns how often the connection was closed before. A client that does not run for a moment after it has
        connected has no request yet, as the slow ones, and gives way to those of its host that come later."""
        displaced = 0
        while True:
            try:
                self.assertEqual(http_client.get(address, "/lean/v0/head").status, 200)
                return displaced
            except (ConnectionResetError, BrokenPipeError):  # http.client's RemoteDisconnected is the first
                displaced += 1

    def test_slow_clients(self):
        net = self.make_network(clients=1, slot_ms=SLOT_MS)
        address = f"127.0.0.1:{network.free_port()}"
        net.places[0].http_address = address
        net.start()
        self.wait_for_finality()
        memory = usage.rss(net.beacon.pid)

        log = self.directory / "slow.log"
        slow = Process("slow", ["/usr/bin/python3", slow_clients.__file__, address, str(CLIENTS)], log)
        self.addCleanup(slow.kill)
        wait_until(lambda: "ready" in log.read_text(encoding="utf-8"), e2e.PATIENCE_S, "the slow clients")
        before = net.rpc.status()
        self.stalls = stalls.Stalls()
        self.addCleanup(self.stalls.stop)
        expect_none_missed(lambda: self.ask_for_slots(address))
        self.assertTrue(slow.running(), slow.log_tail())
        self.assertGreater(net.rpc.status().finalized.slot, before.finalized.slot)
        more = usage.rss(net.beacon.pid) - memory
        print(f"memory +{more >> 20} MiB", flush=True)
        self.assertLess(more, MAX_RSS_MORE)

    def ask_for_slots(self, address):
        """Returns the duties that were missed."""
        net = self.network
        first = net.rpc.status().slot
        times, displaced, stalled = [], 0, 0
        while (slot := net.rpc.status().slot) < first + SLOTS:
            begun = time.monotonic()
            displaced += self.ask_until_answered(address)
            ended = time.monotonic()
            stall = self.stalls.between(begun, ended)
            stalled += stall
            times.append(ended - begun - stall)
        print(f"{len(times)} honest requests, the slowest {max(times) * 1000:.0f} ms; displaced {displaced} times; "
              f"stalls of this process {stalled * 1000:.0f} ms", flush=True)
        late = [taken for taken in times if taken > MOST_S]
        self.assertLessEqual(len(late), max(1, len(times) * LATE_PER_MILLE // 1000), late)
        self.assertLess(max(times), MOST_LATE_S)
        return DutyLog(net.clients[0].log_path, net.settings.validators).missed(first + 1, slot - 1)


if __name__ == "__main__":
    e2e.main()
