"""A beacon that nobody can dial takes part like any other: its validator's blocks and votes reach all."""

import e2e
import grpc
import sites
from leandev.processes import wait_until

SLOT_MS = 800
HIDDEN = 3


class NatTest(sites.SitesTest):
    def test_a_beacon_behind_nat_takes_part(self):
        net = self.start_sites(SLOT_MS, behind_nat=(HIDDEN,))
        # Nobody dialed it, and all are linked with it.
        for number in range(HIDDEN):
            linked = wait_until(
                lambda rpc=net.rpcs[number]: [peer for peer in rpc.linked() if peer.peer_id == net.peer_id(HIDDEN)],
                e2e.PATIENCE_S, f"beacon {number} to be linked with the hidden one")
            self.assertFalse(linked[0].outbound)
            self.assertIn("/10.77.0.4/", linked[0].address)  # its router's
        for number in range(HIDDEN):
            self.wait_for_block_of_the_hidden(number)
            self.wait_for_vote_of_the_hidden(number)
        self.wait_for_missing([])
        self.expect_agreement()

    def wait_for_block_of_the_hidden(self, number):
        """Waits until a block that its validator proposes from now on is on the chain of beacon `number`."""
        rpc = self.network.rpcs[number]
        begin = self.slot() + 1
        begin += (HIDDEN - begin) % 4

        def arrived(slot):
            try:
                return rpc.block(slot=slot).proposer_index == HIDDEN
            except grpc.RpcError:
                return False

        wait_until(lambda: any(map(arrived, range(begin, self.slot() + 1, 4))), e2e.PATIENCE_S,
                   f"a block of it from slot {begin} on to be on beacon {number}")

    def wait_for_vote_of_the_hidden(self, number):
        """Waits until beacon `number` has its vote of a slot from now on in which it does not propose."""
        begin = self.slot() + 1

        def arrived():
            status = self.watch.status(number)
            voted = status.slot - 1
            return voted > begin and voted % 4 != HIDDEN and HIDDEN not in status.missing_in_previous_slot

        wait_until(arrived, e2e.PATIENCE_S, f"its vote to be on beacon {number}")


if __name__ == "__main__":
    e2e.main()
