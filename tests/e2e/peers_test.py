"""Linked beacons share the validators; each has a network engine (lean-p2p). They finalize one chain whatever happens
to a beacon, an engine, or both."""

import re
import time

import e2e
from duty_log import DutyLog, expect_none_missed
from leandev import network
from leandev.processes import wait_until

# Slot duration for tests in which no duty may be missed on a busy machine.
SLOT_MS = 1600
SHORT_SLOT_MS = 500
# The engine's name in a beacon's health.
ENGINE = "lean.v1.NetworkEngine"
# How lean-p2p tells that a connection ended because nothing arrived on it for some seconds.
FELL_SILENT = "timed out"
# A busy machine may need longer than that for the start of an engine.
RESTARTS = 3


class PeersTest(e2e.NetworkTest):
    def wait_for_links(self, count, numbers=None):
        return self.wait_for_all(lambda s: s.peers == count, f"beacons to have {count} links", numbers)

    def duty_logs(self):
        net = self.network
        return [
            DutyLog(client.log_path, net.settings.validators, net.client_indices(number))
            for number, client in enumerate(net.clients)
        ]

    def expect_no_blame(self):
        for number in range(self.network.settings.beacons):
            for blame in ("peer_offence", "peer_ended"):
                self.assertNotIn(blame, self.log_of(number))
            self.assertNotIn("peer_banned", self.network.engines[number].log)

    def expect_good_peers(self, number):
        """A beacon reports its peers as good ones that bring items."""
        net = self.network
        others = {net.peer_id(other) for other in range(net.settings.beacons) if other != number}
        self.assertEqual({peer.peer_id for peer in net.rpcs[number].linked()}, others)

        # Meshes form at gossipsub's heartbeats, and an item counts for the peer that brings it first.
        def all_bring_items():
            peers = net.rpcs[number].linked()
            return len(peers) == len(others) and all(
                peer.in_block_mesh and peer.in_vote_mesh and peer.items_accepted > 0 and peer.bytes_out > 0 for peer in peers)

        wait_until(all_bring_items, e2e.PATIENCE_S, f"each peer of beacon {number} to bring items")
        for peer in net.rpcs[number].linked():
            self.assertEqual(peer.score, 0, peer)
            self.assertGreaterEqual(peer.gossip_score, 0, peer)
            self.assertEqual(peer.items_rejected, 0, peer)
            self.assertGreater(peer.bytes_in, 0, peer)
            self.assertIn("/udp/", peer.address)
            self.assertIn("lean-p2p", peer.agent)

    def test_finalize_together_and_link_again_after_kills(self):
        net = self.start_network(clients=3, beacons=3, validators=6, slot_ms=SHORT_SLOT_MS)
        # Each node dials both others, and one link of each pair remains.
        self.wait_for_links(2)
        finalized = max(s.finalized.slot for s in self.wait_for_all(lambda s: s.finalized.slot > 0, "finality"))
        self.wait_for_all(lambda s: s.finalized.slot >= finalized, "all to have finalized it")
        self.assertEqual(len({e2e.block_at(rpc, finalized).root for rpc in net.rpcs}), 1)
        for number in range(3):
            self.expect_good_peers(number)

        # Two thirds of the validators remain.
        net.kill_node(2)
        self.wait_for_links(1, (0, 1))
        self.wait_for_finality(above=net.rpc.status().slot)
        net.start_node(2)
        self.wait_for_links(2)
        self.wait_for_all(lambda s: s.synced and s.head == net.rpc.status().head, "the killed one to have caught up")
        # Only a beacon is killed: its engine and its links stay.
        links = {peer.id for peer in net.rpc.linked()}
        net.beacons[2].kill()
        self.wait_for_finality(above=net.rpc.status().slot)
        net.start_beacon(2)
        self.wait_for_all(lambda s: s.synced and s.head == net.rpc.status().head, "it to have caught up again")
        self.assertEqual({peer.id for peer in net.rpc.linked()}, links)
        self.wait_for_links(2)
        # A link that ended abruptly is no offence.
        self.expect_no_blame()

    def restart_an_engine(self, both):
        """Kills the first engine of two linked ones and starts it again. Returns why the other one says that their old
        link has ended."""
        net = self.network
        links = re.compile(f"peer_disconnected peer={net.peer_id(0)} reason=(.*)")
        before = len(links.findall(net.engines[1].log))
        net.engines[0].kill()
        self.wait_for(lambda s: "the network engine" in s.sync.message, "the first beacon to miss its engine")
        self.assertFalse(net.rpc.serving(ENGINE))
        self.assertTrue(net.rpc.serving("lean.v1.DutyService") and net.rpc.serving(), "duties are served without it")
        net.start_engine(0)
        started = time.monotonic()
        self.wait_for_all(lambda s: s.peers == 1 and "the network engine" not in s.sync.message,
                          "the two to be linked again", both)
        self.assertTrue(net.rpc.serving(ENGINE))
        print(f"linked again {time.monotonic() - started:.1f} s after the engine's start", flush=True)
        ends = wait_until(
            lambda: links.findall(net.engines[1].log)[before:], e2e.PATIENCE_S, "the end of the old link")
        return ends[0]

    def test_an_engine_comes_late_and_is_killed_and_a_third_beacon_comes_late(self):
        net = self.make_network(clients=2, beacons=3, slot_ms=SLOT_MS)
        both = (0, 1)
        # The second beacon starts before its engine.
        net.start_engine(0)
        for number in both:
            net.start_beacon(number)
        net.start_engine(1)
        for number in both:
            net.start_client(number)
        logs = self.duty_logs()
        self.wait_for_links(1, both)
        self.wait_for_all(lambda s: s.finalized.slot > 0, "finality", both)

        expect_none_missed(lambda: self.kill_an_engine_twice(both, logs), lambda: "\n".join(log.text() for log in logs))
        self.assertIn("network_engine_lost", self.log_of(0))

        net.start_node(2)

        def caught_up():
            late, first = net.rpcs[2].try_status(), net.rpc.try_status()
            return late and first and late.synced and late.peers == 2 and late.head == first.head

        wait_until(caught_up, e2e.PATIENCE_S, "the third beacon to have caught up")
        self.assertIn("sync_range_begins", self.log_of(2))
        self.expect_no_blame()

    def kill_an_engine_twice(self, both, logs):
        """Returns the duties that were missed."""
        net = self.network
        begin = net.rpc.status().slot
        ends = []
        while not ends or FELL_SILENT in ends[-1]:
            self.assertLess(len(ends), RESTARTS, f"a restarted engine has to wait for the end of its old link: {ends}")
            ends.append(self.restart_an_engine(both))
        # Again, while the link is new. Neither half of the validators finalizes without the other.
        net.engines[0].kill()
        net.start_engine(0)
        back = max(net.rpcs[number].status().slot for number in both)
        statuses = self.wait_for_all(lambda s: s.finalized.slot > back, "finality to go on", both)
        return [missed for log in logs for missed in log.missed(begin, statuses[0].slot - 1)]

    def test_a_peer_on_another_chain_is_left_and_both_say_why(self):
        """The wire does not carry the genesis. Another genesis shows in the finalized block, which is genesis at
        first."""
        net = self.make_network(clients=1, beacons=2, slot_ms=SHORT_SLOT_MS)
        other = network.Network(net.settings)
        other.genesis_dir = net.settings.directory / "other"
        other.keystores = net.keystores
        net.settings.genesis_delay_s += 60
        other.make_genesis(quiet=True)
        net.places[1].genesis_dir = other.genesis_dir
        for number in range(2):
            net.start_node(number)
        reason = "it is on another chain: its finalized block of slot 0 is not on ours"
        for number in range(2):
            wait_until(lambda number=number: reason in self.log_of(number), e2e.PATIENCE_S, "each to leave the other")
            wait_until(lambda number=number: any(reason in p.failure for p in net.rpcs[number].peers()),
                       e2e.PATIENCE_S, "each to say why")
        self.assertEqual([rpc.status().peers for rpc in net.rpcs], [0, 0])
        self.assertNotIn("peer_offence", self.log_of(0) + self.log_of(1))

    def test_dial_only_and_itself(self):
        net = self.make_network(clients=1, beacons=2, slot_ms=SHORT_SLOT_MS)
        # The first one is told to dial only itself; the second one cannot be dialed.
        net.places[0].dials = [net.dial_address(0)]
        net.places[1].dials = [net.dial_address(0)]
        net.places[1].announce = ""
        net.start()
        self.wait_for_links(1)
        self.wait_for_all(lambda s: s.finalized.slot > 0, "finality")
        (linked,) = net.rpc.peers()
        self.assertEqual((linked.peer_id, linked.outbound), (net.peer_id(1), False))
        (linked,) = net.rpcs[1].peers()
        self.assertEqual((linked.peer_id, linked.outbound), (net.peer_id(0), True))


if __name__ == "__main__":
    e2e.main()
