"""The clock of one machine is wrong by 500 ms, for its beacon and its client. The other three are right."""

import time

import e2e
import sites

SKEWED = 3
SKEW_MS = 500
# Slots until a slot is final on every beacon.
FINALIZES_WITHIN = 6
FINALIZES_WITHIN_SHORT = 16


class ClockSkewTest(sites.SitesTest):
    def run_skewed(self, slot_ms, skew_ms, slots, within):
        """Returns (blocks, votes) that were missed from the first slot on in which everybody was there."""
        self.skew_ms = skew_ms
        net = self.start_sites(slot_ms)
        # The measured difference to this machine's clock includes the time of the call.
        difference = min(self.difference(net.rpcs[SKEWED]) for _ in range(5))
        self.assertLess(abs(difference - skew_ms), 100)
        while self.slot() < slots:
            self.expect_finality(within=within, what="finality of the next slot")
        self.expect_agreement()
        return self.watch.missed_duties()

    def prepare(self, net):
        self.shift_clock(net, SKEWED, self.skew_ms)

    @staticmethod
    def difference(rpc):
        """Milliseconds that a beacon's clock is ahead of this machine's."""
        before = time.time() * 1000
        said = rpc.status().time_ms
        return said - (before + time.time() * 1000) / 2

    # With slots of four seconds no duty suffers: an early item waits for its slot, and a late one is still in its
    # interval.
    def test_ahead_with_the_usual_slots(self):
        self.assertEqual(self.run_skewed(4000, SKEW_MS, 14, FINALIZES_WITHIN), (0, 0))

    def test_behind_with_the_usual_slots(self):
        self.assertEqual(self.run_skewed(4000, -SKEW_MS, 14, FINALIZES_WITHIN), (0, 0))

    # Half a second is more than half of such a slot. Blocks and votes are late or early, and the others finalize.
    def test_ahead_with_short_slots(self):
        self.run_skewed(800, SKEW_MS, 40, FINALIZES_WITHIN_SHORT)

    def test_behind_with_short_slots(self):
        self.run_skewed(800, -SKEW_MS, 40, FINALIZES_WITHIN_SHORT)


if __name__ == "__main__":
    e2e.main()
