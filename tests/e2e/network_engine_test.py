"""Beacons whose peers are the business of network engines: they finalize together, whatever becomes of an engine."""

import unittest

import e2e
import engines
from duty_log import DutyLog
from leandev.processes import wait_until

SLOT_MS = 1000


@unittest.skipIf(engines.missing(), engines.missing())
class NetworkEngineTest(e2e.NetworkTest):
    def wait_for_all(self, numbers, condition, what):
        """Waits until the status of each of these beacons meets `condition`."""

        def met():
            statuses = [self.network.rpcs[number].try_status() for number in numbers]
            return statuses if all(status is not None and condition(status) for status in statuses) else None

        return wait_until(met, e2e.PATIENCE_S, what)

    def log_of(self, number):
        return self.network.beacons[number].log_path.read_text(encoding="utf-8", errors="replace")

    def test_an_engine_is_killed_and_a_third_beacon_comes_late(self):
        net = self.make_network(clients=2, beacons=3, slot_ms=SLOT_MS)
        own = [engines.Engine(self, number) for number in range(3)]
        logs = [
            DutyLog(net.settings.directory / f"{net.client_name(number)}.log", net.settings.validators,
                    net.client_indices(number)) for number in range(2)
        ]
        # The second beacon begins before there is an engine for it.
        own[0].start()
        for number in (0, 1):
            net.start_beacon(number)
        own[1].start([own[0]])
        for number in (0, 1):
            net.start_client(number)
        both = (0, 1)
        self.wait_for_all(both, lambda s: s.peers == 1, "the two to be linked")
        finalized = max(s.finalized.slot for s in self.wait_for_all(both, lambda s: s.finalized.slot > 0, "finality"))
        self.wait_for_all(both, lambda s: s.finalized.slot >= finalized, "both to have finalized it")
        self.assertEqual(len({e2e.block_at(net.rpcs[number], finalized).root for number in both}), 1)
        for number in both:
            (peer,) = net.rpcs[number].linked()
            self.assertEqual(peer.score, 0, peer)
            self.assertTrue(peer.in_block_mesh and peer.in_vote_mesh, peer)
            self.assertGreater(peer.items_accepted, 0, peer)
            self.assertEqual(peer.items_rejected, 0, peer)

        begin = net.rpc.status().slot
        own[0].kill()
        self.wait_for(lambda s: "the network engine" in s.sync.message, "the first beacon to miss its engine")
        own[0].start()
        self.wait_for_all(both, lambda s: s.peers == 1 and "the network engine" not in s.sync.message,
                          "the two to be linked again")
        back = max(net.rpcs[number].status().slot for number in both)
        end = self.wait_for_all(both, lambda s: s.finalized.slot > back, "finality to go on")[0].slot - 1
        for number, log in enumerate(logs):
            self.assertEqual(log.missed(begin, end), [], f"client {number}:\n{log.text()}")
        self.assertIn("network_engine_lost", self.log_of(0))
        for number in both:
            self.assertNotIn("peer_offence", self.log_of(number))

        own[2].start([own[0], own[1]])
        net.start_beacon(2)

        def caught_up():
            late, first = net.rpcs[2].try_status(), net.rpc.try_status()
            return late and first and late.synced and late.peers == 2 and late.head == first.head

        wait_until(caught_up, e2e.PATIENCE_S, "the third beacon to have caught up")
        self.assertIn("sync_range_begins", self.log_of(2))


if __name__ == "__main__":
    e2e.main()
