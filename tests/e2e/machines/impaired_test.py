"""A network with long, varying delays and lost frames still finalizes."""

import e2e
import sites

SLOT_MS = 1200
SLOTS = 60
# Slots until a slot is final on every beacon.
FINALIZES_WITHIN = 8


class ImpairedTest(sites.SitesTest):
    def test_finalizes_over_a_bad_network(self):
        self.start_sites(SLOT_MS, impairment={"delay_ms": 75, "jitter_ms": 25, "loss_percent": 2})
        while self.slot() < SLOTS:
            self.expect_finality(within=FINALIZES_WITHIN, what="finality of the next slot")
        print(f"frames: {self.sites.switch.counters()}", flush=True)
        self.expect_agreement()


if __name__ == "__main__":
    e2e.main()
