"""The network is divided into two halves, neither of which can finalize, and is then healed."""

import e2e
import sites


class PartitionsTest(sites.SitesTest):
    def test_halves_finalize_nothing_and_then_agree(self):
        # Slots in which a busy machine does all duties: missed ones delay finality beyond the limit.
        self.start_sites(slot_ms=2000)
        self.expect_recovery_from_halves(parted_slots=12, within=24)


if __name__ == "__main__":
    e2e.main()
