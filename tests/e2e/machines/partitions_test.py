"""The network falls into two halves, of which neither can finalize, and is whole again."""

import e2e
import sites

SLOT_MS = 800
PARTED_SLOTS = 12
RESUMES_WITHIN = 24


class PartitionsTest(sites.SitesTest):
    def test_halves_finalize_nothing_and_then_agree(self):
        self.start_sites(SLOT_MS)
        self.sites.part((0, 1), (2, 3))
        parted = self.slot()
        self.wait_for_slots(PARTED_SLOTS)
        for number in range(4):
            # Votes of the slot in which they were parted may still have got through.
            self.assertLessEqual(self.watch.finalized_slot(number), parted)
        self.sites.heal()
        self.expect_finality(within=RESUMES_WITHIN, what="finality after the halves were joined")
        self.expect_agreement()


if __name__ == "__main__":
    e2e.main()
