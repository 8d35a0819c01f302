"""One beacon and two validator clients: the chain finalizes, continues to finalize, and the programs stop in order."""

import e2e


class FinalityTest(e2e.NetworkTest):
    def test_finalizes_and_goes_on(self):
        net = self.start_network()
        first = self.wait_for_finality()
        self.assertLessEqual(first.finalized.slot, first.justified.slot)
        self.assertLessEqual(first.justified.slot, first.head.slot)
        self.wait_for_missing([])
        later = self.wait_for_finality(above=first.finalized.slot + 3)

        # The finalized block is still on the chain, and every later block is by the proposer of its slot.
        block = net.rpc.block(root=first.finalized.root)
        self.assertTrue(block.canonical and block.finalized)
        self.assertEqual(block.slot, first.finalized.slot)
        block = net.rpc.block(root=later.head.root)
        while block.slot > first.finalized.slot:
            self.assertEqual(block.proposer_index, block.slot % 4)
            self.assertEqual(block.proposer_attestation.validator_index, block.proposer_index)
            block = net.rpc.block(root=block.parent_root)
        self.assertEqual(block.root, first.finalized.root)

    def test_stops_with_exit_code_0(self):
        net = self.start_network()
        self.wait_for(lambda s: s.head.slot > 0, "a block")
        for process in reversed(net.processes()):
            self.assertEqual(process.stop(), 0, process.log_tail())


if __name__ == "__main__":
    e2e.main()
