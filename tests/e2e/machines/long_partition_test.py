"""The network is in two halves for so long that slots which can be justified have become rare, and is whole again."""

import e2e
import sites


class LongPartitionTest(sites.SitesTest):
    def test_halves_of_a_hundred_slots(self):
        self.start_sites(slot_ms=600)
        self.expect_recovery_from_halves(parted_slots=100, within=48)


if __name__ == "__main__":
    e2e.main()
