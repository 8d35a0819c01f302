"""The network is divided into two halves until slots that can be justified are rare, and is then healed."""

import e2e
import sites


class LongPartitionTest(sites.SitesTest):
    def test_halves_of_a_hundred_slots(self):
        self.start_sites(slot_ms=600)
        self.expect_recovery_from_halves(parted_slots=100, within=48)


if __name__ == "__main__":
    e2e.main()
