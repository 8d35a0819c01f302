"""Three linked beacons with a share of the validators each: they finalize one chain, and a link that ends comes back."""

import e2e
from leandev import network
from leandev.processes import wait_until

SLOT_MS = 500


class PeersTest(e2e.NetworkTest):
    def wait_for_all(self, condition, what):
        """Waits until the status of every beacon meets `condition`."""
        def met():
            statuses = [rpc.try_status() for rpc in self.network.rpcs]
            return statuses if all(status is not None and condition(status) for status in statuses) else None

        return wait_until(met, e2e.PATIENCE_S, what)

    def wait_for_links(self, count):
        return self.wait_for_all(lambda s: s.peers == count, f"every beacon to have {count} links")

    def test_finalize_together_and_link_again_after_a_kill(self):
        net = self.start_network(clients=3, beacons=3, validators=6, slot_ms=SLOT_MS)
        # Each dials both others, and one link of each two stays.
        self.wait_for_links(2)
        finalized = max(s.finalized.slot for s in self.wait_for_all(lambda s: s.finalized.slot > 0, "finality"))
        blocks = [e2e.block_at(rpc, finalized) for rpc in net.rpcs if rpc.status().finalized.slot >= finalized]
        self.assertEqual(len({block.root for block in blocks}), 1)
        for rpc in net.rpcs:
            for peer in rpc.linked():
                self.assertEqual(peer.score, 0, peer)
                self.assertGreater(peer.blocks_in + peer.blocks_out, 0, peer)
                self.assertGreater(peer.votes_in + peer.votes_out, 0, peer)

        # Two thirds of the validators are left.
        net.beacons[2].kill()
        self.wait_for(lambda s: s.peers == 1, "the others to see the link end")
        self.wait_for_finality(above=self.network.rpc.status().slot)
        net.start_beacon(2)
        self.wait_for_links(2)
        self.wait_for_all(lambda s: s.synced and s.head == net.rpc.status().head, "the killed one to have caught up")
        self.assertEqual({peer.name for peer in net.rpc.linked()}, {"beacon-1", "beacon-2"})
        # That its links ended without a word is not held against it: its connections ended as well.
        for number in (0, 1):
            self.assertNotIn("peer_offence", net.beacons[number].log_path.read_text(encoding="utf-8"))

    def test_another_genesis_is_refused_and_both_say_why(self):
        net = self.make_network(clients=1, beacons=2, slot_ms=SLOT_MS)
        other = network.Network(net.settings)
        other.genesis_dir = net.settings.directory / "other"
        other.keystores = net.keystores
        net.settings.genesis_delay_s += 60
        other.make_genesis(quiet=True)
        net.places[1].genesis_dir = other.genesis_dir
        for number in range(2):
            net.start_beacon(number)
        for beacon in net.beacons:
            wait_until(lambda log=beacon.log_path: "reason=WRONG_GENESIS" in log.read_text(encoding="utf-8"),
                       e2e.PATIENCE_S, f"{beacon.name} to refuse the other")
        self.assertEqual([rpc.status().peers for rpc in net.rpcs], [0, 0])
        # It was refused when it dialled; the first one's own attempt may come later.
        wait_until(lambda: net.rpc.peers()[0].state == net.rpc.messages.PeerView.REFUSED, e2e.PATIENCE_S,
                   "the first one to have dialled")

    def test_dial_only_and_itself(self):
        net = self.make_network(clients=1, beacons=2, slot_ms=SLOT_MS)
        # The first dials nobody but itself; the second cannot be dialled.
        net.places[0].peers = [net.places[0].peer_address]
        net.places[1].peer_address = ""
        net.start()
        self.wait_for_links(1)
        self.wait_for_all(lambda s: s.finalized.slot > 0, "finality")
        self.assertIn("reason=SELF", net.beacons[0].log_path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    e2e.main()
