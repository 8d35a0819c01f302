"""The beacon is killed and started again: the clients find it by themselves and take up their duties."""

import e2e


class BeaconRestartTest(e2e.NetworkTest):
    def test_killed_and_started_again(self):
        net = self.start_network()
        self.wait_for_finality()

        net.beacon.kill()
        net.start_beacon()
        # It keeps no chain on disk: it starts at genesis, in the slot that the clock shows.
        restarted = net.rpc.status()
        self.wait_for(lambda s: s.head.slot > restarted.slot, "a block after the restart")
        self.wait_for_missing([])
        self.wait_for_finality(above=0)
        for process in net.clients:
            self.assertTrue(process.running(), f"{process.name} has ended:\n{process.log_tail()}")


if __name__ == "__main__":
    e2e.main()
