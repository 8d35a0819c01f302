"""The first of two addresses of a client fails in every way. Each duty is done with the second address, and the first
one is used again when it works.

Both addresses lead to the same beacon, the first one through a proxy, because unlinked beacons would not catch up. A
case that needs another beacon points the proxy elsewhere.
"""

import e2e
import faulty_proxy
from duty_log import DutyLog, expect_none_missed
from leandev import network
from leandev.processes import Process, wait_until

SLOT_MS = 1600
FAULTY_SLOTS = 4
LAG_SLOTS = 5


class FailoverTest(e2e.NetworkTest):
    def start_beacon_of(self, genesis_dir, name):
        """Starts a beacon that receives no blocks or votes. Returns its (host, port)."""
        port = network.free_port()
        beacon = Process(
            name,
            [
                *(e2e.BUILD_DIR / "bin" / "lean-beacon", "run", "--genesis", genesis_dir),
                *("--rpc-address", f"127.0.0.1:{port}", "--http-address", "off"),
            ],
            self.directory / f"{name}.log")
        self.addCleanup(beacon.stop)
        return ("127.0.0.1", port)

    def start(self):
        self.net = self.make_network(clients=1, slot_ms=SLOT_MS)
        self.net.start_beacon()
        self.real = ("127.0.0.1", self.net.settings.port)
        self.proxy = faulty_proxy.FaultyProxy(network.free_port(), self.real)
        self.proxy.become(faulty_proxy.PASS)
        self.addCleanup(self.proxy.close)
        log_path = self.net.settings.directory / "client.log"
        self.net.clients[0] = Process(
            "client",
            [
                *(e2e.BUILD_DIR / "bin" / "lean-validator", "run", "--keystores", self.net.keystores[0]),
                *("--genesis", self.net.genesis_dir),
                *("--beacon", self.proxy.address, "--beacon", self.net.settings.address),
            ],
            log_path)
        self.log = DutyLog(log_path, self.net.settings.validators)
        self.wait_for_duties_with(self.proxy.address)

    def wait_for_duties_with(self, address):
        """Waits for a slot whose duties were built by that beacon. Returns the slot."""
        begin = self.net.rpc.status().slot

        def done():
            blocks, votes = self.log.blocks(), self.log.votes()
            return next(
                (slot for slot in blocks if slot > begin and blocks[slot] == votes.get(slot) == address), None)

        return wait_until(done, e2e.PATIENCE_S, f"the duties of a slot with {address}")

    def check(self, mode, target=None, says=None):
        """The first beacon fails for some slots and recovers: no duty is missed, and it is used again."""
        self.wait_for(lambda s: s.slot > LAG_SLOTS, "enough slots to lag behind")
        expect_none_missed(lambda: self.fail_and_recover(mode, target, says), self.log.text)

    def fail_and_recover(self, mode, target, says):
        """Returns the duties that were missed."""
        first = self.net.rpc.status().slot
        self.proxy.become(mode, target)
        last = self.wait_for_duties_with(self.net.settings.address) + FAULTY_SLOTS
        self.wait_for(lambda s: s.slot > last, f"slot {last} to end")
        self.log.await_slot(last)
        blocks = self.log.blocks()
        if says:
            wait_until(lambda: says in self.log.text(), e2e.PATIENCE_S, f"the client to say: {says}")
        builders = {blocks[slot] for slot in range(last - FAULTY_SLOTS, last + 1) if slot in blocks}
        self.assertEqual(builders, {self.net.settings.address})
        self.proxy.become(faulty_proxy.PASS, self.real)
        back = self.wait_for_duties_with(self.proxy.address)
        return self.log.missed(first, back)

    def test_dead(self):
        self.start()
        self.check(faulty_proxy.REFUSE)

    def test_hung(self):
        self.start()
        self.check(faulty_proxy.HANG)

    def test_garbage(self):
        self.start()
        self.check(faulty_proxy.GARBAGE)

    def test_lagging(self):
        self.start()
        self.check(faulty_proxy.PASS, self.start_beacon_of(self.net.genesis_dir, "lagging"))

    def test_another_genesis(self):
        self.start()
        foreign = network.Network(self.net.settings)
        foreign.genesis_dir = self.directory / "foreign"
        foreign.use_keys(self.net.keystores)
        foreign.make_genesis(quiet=True)  # later, and so another one
        self.check(
            faulty_proxy.PASS, self.start_beacon_of(foreign.genesis_dir, "foreign"), says="the beacon has genesis 0x")


if __name__ == "__main__":
    e2e.main()
