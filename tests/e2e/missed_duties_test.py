"""One of two beacons is stopped and continued, killed and restarted, over and over. No duty of 100 slots is missed.

The beacons are not linked and keep no chain on disk. The second one gets its blocks by --broadcast. The first one
begins at genesis after each kill, counts as lagging, and cannot catch up. The test shows that its failures never cost
the client a duty. In a second test an address before a good beacon fails and recovers again and again, so that the
client switches back and forth.
"""

import signal

import e2e
import faulty_proxy
from duty_log import DutyLog
from leandev import network
from leandev.processes import Process, wait_until

SLOT_MS = 1200
SLOTS = 100
BACK_AND_FORTH_SLOTS = 50
FIRST = 2


class MissedDutiesTest(e2e.NetworkTest):
    def start_client(self, first, second, *arguments):
        log_path = self.net.settings.directory / "client.log"
        self.net.clients[0] = Process(
            "client",
            [
                *(e2e.BUILD_DIR / "bin" / "lean-validator", "run", "--keystores", self.net.keystores[0]),
                *("--genesis", self.net.genesis_dir, "--beacon", f"{first},{second}", *arguments),
            ],
            log_path)
        self.log = DutyLog(log_path, self.net.settings.validators)

    def wait_for_slot(self, slot):
        self.wait_for(lambda s: s.slot >= slot, f"slot {slot}")

    def expect_no_duty_missed(self, last):
        wait_until(lambda: last in self.log.votes(), 5 * SLOT_MS / 1000, f"the votes of slot {last}")
        missed = self.log.missed(FIRST, last)
        self.assertEqual(missed, [], f"{len(missed)} duties missed in {last - FIRST + 1} slots")
        status = self.net.rpc.status()
        # The other beacon confirms: a block in every slot, and finality follows.
        empty = [slot for slot in range(FIRST, last + 1) if e2e.block_at(self.net.rpc, slot) is None]
        self.assertEqual(empty, [])
        self.assertGreater(status.finalized.slot, last - 8)

    def test_stopped_and_killed_again_and_again(self):
        self.net = self.make_network(clients=1, slot_ms=SLOT_MS)
        self.net.start_beacon()  # the one that stays: it is asked about the chain, and comes second for the client
        address = f"127.0.0.1:{network.free_port()}"

        def start_first():
            return Process(
                "first",
                [
                    *(e2e.BUILD_DIR / "bin" / "lean-beacon", "run", "--genesis", self.net.genesis_dir),
                    *("--rpc-address", address),
                ],
                self.directory / "first.log")

        first = start_first()
        self.addCleanup(lambda: first.stop())
        self.start_client(address, self.net.settings.address, "--broadcast")
        slot, last = 8, FIRST + SLOTS - 1
        self.wait_for_slot(slot)
        self.assertEqual(set(self.log.blocks().values()), {address})
        stops = kills = 0
        while slot < last:
            if slot < last / 2:
                first.signal(signal.SIGSTOP)
                self.wait_for_slot(slot + 2)
                first.signal(signal.SIGCONT)
                stops += 1
            else:
                first.kill()
                first.stop()
                self.wait_for_slot(slot + 2)
                first = start_first()
                kills += 1
            slot += 5
            self.wait_for_slot(slot)
        self.expect_no_duty_missed(last)
        print(f"stopped {stops} times, killed {kills} times, {SLOTS} slots, no duty missed")

    def test_back_and_forth(self):
        self.net = self.make_network(clients=1, slot_ms=SLOT_MS)
        self.net.start_beacon()
        proxy = faulty_proxy.FaultyProxy(network.free_port(), ("127.0.0.1", self.net.settings.port))
        proxy.become(faulty_proxy.PASS)
        self.addCleanup(proxy.close)
        self.start_client(proxy.address, self.net.settings.address)
        faults = (faulty_proxy.REFUSE, faulty_proxy.HANG, faulty_proxy.GARBAGE)
        slot, last = 5, FIRST + BACK_AND_FORTH_SLOTS - 1
        self.wait_for_slot(slot)
        turns = 0
        while slot < last:
            proxy.become(faults[turns % len(faults)])
            self.wait_for_slot(slot + 2)
            proxy.become(faulty_proxy.PASS)
            turns += 1
            slot += 5
            self.wait_for_slot(slot)
        self.expect_no_duty_missed(last)
        users = set(self.log.blocks().values())
        self.assertEqual(users, {proxy.address, self.net.settings.address})
        print(f"failed and recovered {turns} times, {BACK_AND_FORTH_SLOTS} slots, no duty missed")


if __name__ == "__main__":
    e2e.main()
