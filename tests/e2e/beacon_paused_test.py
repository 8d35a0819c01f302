"""A beacon is stopped for three slots: its clients wait for it, and the chain continues to finalize."""

import signal
import time

import e2e

PAUSED_SLOTS = 3


class BeaconPausedTest(e2e.NetworkTest):
    def test_stopped_for_three_slots(self):
        net = self.start_network()
        before = self.wait_for_finality()

        net.beacon.signal(signal.SIGSTOP)
        time.sleep(PAUSED_SLOTS * e2e.SLOT_MS / 1000)  # the outage itself; nothing can be asked meanwhile
        self.assertIsNone(net.rpc.try_status(timeout_s=0.2))
        net.beacon.signal(signal.SIGCONT)

        after = self.wait_for(lambda s: s.slot >= before.slot + PAUSED_SLOTS, "the beacon to answer again")
        self.wait_for(lambda s: s.head.slot > after.slot, "a block after the pause")
        self.wait_for_missing([])
        self.wait_for_finality(above=after.slot)
        for process in net.processes():
            self.assertTrue(process.running(), f"{process.name} has ended:\n{process.log_tail()}")


if __name__ == "__main__":
    e2e.main()
