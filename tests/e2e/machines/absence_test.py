"""A beacon, its engine and its client are killed and return after 200 slots: with their disk, or only with the keys."""

import shutil

import e2e
import sites

SLOT_MS = 600
ABSENT_SLOTS = 200
AWAY = 3
# It must start and fetch what it missed, and its client first watches for a second client.
RESUMES_WITHIN = 20


class AbsenceTest(sites.SitesTest):
    def test_comes_back_with_its_data(self):
        self.be_away(lambda net: None)

    def test_comes_back_with_an_empty_disk(self):
        self.be_away(lambda net: shutil.rmtree(net.data_dir(AWAY)))

    def be_away(self, meanwhile):
        net = self.start_sites(SLOT_MS)
        net.clients[AWAY].kill()
        net.kill_node(AWAY)
        left = self.slot()
        meanwhile(net)
        self.wait_for_missing([AWAY])
        self.wait_for_slot(left + ABSENT_SLOTS)
        self.expect_finality(beacons=(0, 1, 2), what="finality of the others")
        back = self.slot()
        net.start_node(AWAY)
        net.start_client(AWAY)
        self.expect_finality(within=RESUMES_WITHIN, after=back, what="finality on the one that came back")
        self.wait_for_missing([])
        print(f"its votes are heard {self.slot() - back} slots after it came back", flush=True)
        self.expect_agreement()


if __name__ == "__main__":
    e2e.main()
