"""One of four is cut off. The others continue to finalize. It does not, and catches up when it is back."""

import e2e
import sites

SLOT_MS = 800
PARTED_SLOTS = 20
RESUMES_WITHIN = 12


class MinorityTest(sites.SitesTest):
    def test_three_go_on_and_the_fourth_catches_up(self):
        self.start_sites(SLOT_MS)
        self.sites.part((0, 1, 2), (3,))
        parted = self.slot()
        self.expect_finality(beacons=(0, 1, 2), what="finality of the three")
        self.wait_for_slot(parted + PARTED_SLOTS)
        self.assertLessEqual(self.watch.finalized_slot(3), parted)
        self.sites.heal()
        self.expect_finality(within=RESUMES_WITHIN, what="finality after the fourth was joined")
        # Its validator votes again, and all receive the vote.
        self.wait_for_missing([])
        self.expect_agreement()


if __name__ == "__main__":
    e2e.main()
