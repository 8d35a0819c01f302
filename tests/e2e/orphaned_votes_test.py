"""The chain contains votes for blocks of an abandoned branch that nobody has any more. A beacon that joins late accepts
them, from an empty disk and again from its own."""

import e2e
import grpc
import udp_link
from leandev.processes import wait_until

# The halves are separated until each has this many blocks of its own.
OWN_BLOCKS = 2
# Whether votes of the abandoned half get into a block depends on when the halves meet again.
MOST_PARTINGS = 20


class OrphanedVotesTest(e2e.NetworkTest):
    def test_late_joiner_gets_past_them(self):
        net = self.make_network(clients=2, beacons=3)
        link, address = udp_link.link_to(self, 0)
        net.places[0].dials = []
        net.places[1].dials = [address]
        net.places[2].dials = [net.dial_address(0), net.dial_address(1)]
        for number in (0, 1):
            net.start_node(number)
            net.start_client(number)
        self.wait_for_finality()
        orphans = self.make_orphaned_votes(link)
        print(f"roots of orphans, named by votes in so many blocks: {orphans}")
        for number in (0, 1):
            self.assertEqual(net.beacons[number].stop(), 0)
            self.db("prune", number=number)
            net.start_beacon(number)
        for root in orphans:
            for number in (0, 1):
                self.assertIsNone(self.find_block(number, root), f"beacon {number} has the orphan {root}")

        net.start_node(2)
        self.await_first_ones_chain(2)
        for root in orphans:
            self.assertIsNone(self.find_block(2, root))
        self.assertLessEqual(orphans.items(), self.votes_for_orphans(2).items())
        # It restores the chain from its disk and continues.
        net.beacons[2].kill()
        net.start_beacon(2)
        self.await_first_ones_chain(2)
        self.assertEqual(net.beacons[2].stop(), 0)
        self.assertIn("everything fits", self.db("verify", number=2))

    def make_orphaned_votes(self, link):
        """Separates the two beacons and joins them again, until finalized blocks have votes for an abandoned branch.
        Returns the roots, each with the number of blocks whose votes name it."""
        for _ in range(MOST_PARTINGS):
            link.cut()
            begin = self.network.rpc.status().slot
            self.await_branches(begin)
            link.mend()
            joined = self.network.rpc.status().slot
            for number in (0, 1):
                self.wait_for_finalized(number, joined)
            orphans = self.votes_for_orphans(0)
            if orphans:
                return orphans
        return self.fail(f"no vote for an orphan got into a block when halves were joined {MOST_PARTINGS} times")

    def await_branches(self, begin):
        """Waits until each of the two has blocks that the other one lacks, all of slots after `begin`."""
        def own_blocks(number):
            rpc, count = self.network.rpcs[number], 0
            block = rpc.block(name=rpc.messages.BlockId.HEAD)
            while block.slot > begin and self.find_block(1 - number, block.root) is None:
                count += 1
                block = rpc.block(root=block.parent_root)
            return count

        wait_until(lambda: min(own_blocks(0), own_blocks(1)) >= OWN_BLOCKS, e2e.PATIENCE_S, "each to have its branch")

    def wait_for_finalized(self, number, above):
        def reached():
            status = self.network.rpcs[number].try_status()
            return status is not None and status.finalized.slot > above

        wait_until(reached, e2e.PATIENCE_S, f"beacon {number} to finalize a slot above {above}")

    def votes_for_orphans(self, number):
        """Roots that votes in a beacon's finalized chain name and that are not on it, with the number of blocks."""
        finalized = self.network.rpcs[number].status().finalized.slot
        blocks = [e2e.block_at(self.network.rpcs[number], slot) for slot in range(finalized + 1)]
        blocks = [block for block in blocks if block is not None]
        roots = {block.root for block in blocks}
        orphans = {}
        for block in blocks:
            named = {c.root for vote in block.attestations for c in (vote.head, vote.target, vote.source)}
            for root in named - roots:
                orphans[root] = orphans.get(root, 0) + 1
        return orphans

    def find_block(self, number, root):
        """The block, or None when the beacon has none of that root."""
        try:
            return self.network.rpcs[number].block(root=root)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return None
            raise

    def await_first_ones_chain(self, number):
        """Waits until a beacon is synced and has the first one's head and finalized checkpoint, of a slot from now on,
        and compares their finalized chains."""
        now = self.network.rpc.status().slot

        def reached():
            own, first = self.network.rpcs[number].try_status(), self.network.rpc.try_status()
            return (own is not None and first is not None and own.synced and own.finalized.slot > now
                    and (own.head, own.finalized) == (first.head, first.finalized))

        wait_until(reached, e2e.PATIENCE_S, f"beacon {number} to have the first one's head and finalized checkpoint")
        for slot in range(now + 1):
            expected, block = (e2e.block_at(self.network.rpcs[who], slot) for who in (0, number))
            self.assertEqual(block, expected, f"slot {slot}")


if __name__ == "__main__":
    e2e.main()
