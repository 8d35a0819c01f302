"""A validator client is killed with -9: the chain continues without it. After a restart it resumes its duties."""

import e2e


class ValidatorRestartTest(e2e.NetworkTest):
    def test_killed_and_started_again(self):
        net = self.start_network(clients=4)
        self.wait_for_finality()

        net.clients[3].kill()
        without = self.wait_for_missing([3])
        self.wait_for_finality(above=without.finalized.slot + 1)

        net.start_client(3)
        back = self.wait_for_missing([])
        # It also proposes again: a block in a slot of validator 3.
        self.wait_for(lambda s: self._has_block_by_3(back.slot, s.slot), "a block by validator 3")

    def _has_block_by_3(self, after, until):
        """Whether some slot of validator 3 from `after` on has a block on the chain."""
        for slot in range(after + (3 - after) % 4, until, 4):
            if e2e.block_at(self.network.rpc, slot):
                return True
        return False


if __name__ == "__main__":
    e2e.main()
