"""Peers that attack one of two beacons, each in its way and all at once: validators keep finalizing, the honest link
stands, the beacon does not swell, and every attacker is sent away for the right reason or has no effect."""

import secrets
import threading
import time

import e2e
import grpc
import raw_peer
import usage
from leandev import network
from leandev.processes import wait_until

# Of resident memory, while an attacker sends what would take gigabytes.
MAX_RSS = 600_000_000
BUSY_S = 8


class HostilePeersTest(e2e.NetworkTest):
    def setUp(self):
        super().setUp()
        self.net = self.make_network(clients=2, beacons=2)
        self.target, other = (f"127.0.0.1:{network.free_port()}" for _ in range(2))
        for place, own, peer in zip(self.net.places, (self.target, other), (other, self.target)):
            place.listen = ""
            place.arguments = ("--peer-address", own, "--peer", peer)
        self.net.start()
        self.wait_for(lambda s: s.peers == 1, "the beacons to be linked")
        self.wait_for_finality()

    def attacker(self, name, **options):
        peer = raw_peer.RawPeer(self.target, self.net.rpc, name, **options)
        self.addCleanup(peer.close)
        return peer

    def log(self):
        return self.net.beacon.log_path.read_text(encoding="utf-8", errors="replace")

    def head(self):
        status = self.net.rpc.status()
        return status, bytes.fromhex(status.head.root[2:])

    def gone(self, name, reason):
        """Whether the attacker of this name was sent away for that."""
        return any("peer_disconnected" in line and f"name={name} " in line and f"reason={reason}" in line
                   for line in self.log().splitlines())

    def offended(self, name, offence):
        """Whether that was held against the attacker of this name."""
        return any("peer_offence" in line and f"name={name} " in line and f"offence={offence} " in line
                   for line in self.log().splitlines())

    def repeat(self, peer, make, seconds=BUSY_S):
        """Sends what `make` gives until the link ends or the time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not peer.ended.is_set():
            if not peer.send_raw(make(peer)):
                break

    # --- Attacks that end the link: name, expected reason ---

    def garbage(self, peer):
        peer.send_raw(secrets.token_bytes(1000))

    def no_snappy(self, peer):
        peer.send(block=b"\xff" * 100)

    def declared_bomb(self, peer):
        peer.send(votes=b"\xff\xff\xff\xff\x0f" + bytes(100))

    def real_bomb(self, peer):
        peer.send(block=raw_peer.zeros(200_000_000))

    def no_block(self, peer):
        peer.send(block=raw_peer.compress(secrets.token_bytes(5000)))

    def too_many_votes(self, peer):
        peer.send(votes=raw_peer.compress(bytes(raw_peer.VOTE_BYTES * 257)))

    def second_status(self, peer):
        peer.send(status={"protocol_version": 1})

    def bad_votes(self, peer):
        status, root = self.head()
        self.repeat(peer, lambda p: p.messages.GossipMessage(votes=raw_peer.compress(b"".join(
            raw_peer.vote(i % 4, status.slot, (root, status.head.slot)) for i in range(200)))).SerializeToString())

    def bad_blocks(self, peer):
        def make(p):
            status, root = self.head()
            ssz = raw_peer.block(status.slot, status.proposer_index, root)
            return p.messages.GossipMessage(block=raw_peer.compress(ssz)).SerializeToString()

        self.repeat(peer, make)

    def orphans(self, peer):
        def make(p):
            status, _ = self.head()
            ssz = raw_peer.block(status.slot, status.proposer_index, secrets.token_bytes(32))
            return p.messages.GossipMessage(block=raw_peer.compress(ssz)).SerializeToString()

        self.repeat(peer, make)

    def orphan_votes(self, peer):
        status, _ = self.head()
        self.repeat(peer, lambda p: p.messages.GossipMessage(votes=raw_peer.compress(b"".join(
            raw_peer.vote(i % 4, status.slot, (secrets.token_bytes(32), status.slot)) for i in range(100)
        ))).SerializeToString())

    def flood(self, peer):
        # The same valid batch again and again: free of signature checks, and far beyond any rate.
        status, root = self.head()
        batch = peer.messages.GossipMessage(votes=raw_peer.compress(
            raw_peer.vote(0, status.slot + 1000, (root, status.head.slot)) * 256)).SerializeToString()
        self.repeat(peer, lambda p: batch)

    def requests(self, peer):
        request = peer.messages.BlocksByRangeRequest(session=peer.session, first_slot=1, count=1024)
        end = time.monotonic() + BUSY_S
        while time.monotonic() < end and not peer.ended.is_set():
            try:
                peer.ask_raw("BlocksByRange", request.SerializeToString())
            except grpc.RpcError:
                pass

    ENDED = {
        garbage: "MALFORMED",
        no_snappy: "MALFORMED",
        declared_bomb: "MALFORMED",
        real_bomb: "MALFORMED",
        no_block: "MALFORMED",
        too_many_votes: "MALFORMED",
        second_status: "MALFORMED",
        bad_votes: "INVALID",
        bad_blocks: "INVALID",
        orphans: "INVALID",
        orphan_votes: "INVALID",
        flood: "TOO_MUCH",
        requests: "TOO_MUCH",
    }

    def test_attacks(self):
        honest = self.net.rpc.linked()[0]
        before = self.net.rpc.status()
        slow = self.attacker("slow_reader", read=False, options=[
            ("grpc.http2.lookahead_bytes", 1024), ("grpc.http2.bdp_probe", 0)])
        # It says that it is far ahead, and never answers what it is asked.
        liar = self.attacker("liar")
        liar.send(chain={"head": {"root": secrets.token_bytes(32), "slot": before.slot + 50_000},
                         "finalized": {"root": secrets.token_bytes(32), "slot": before.slot + 40_000},
                         "earliest_slot": 1, "synced": True})
        liar.serve_nothing()
        # More than a message may have: gRPC itself ends the stream.
        oversized = self.attacker("oversized")
        oversized.send_raw(bytes(17 << 20))

        threads = []
        for attack in self.ENDED:
            peer = self.attacker(attack.__name__)
            threads.append(threading.Thread(target=attack, args=(self, peer), daemon=True))
        for thread in threads:
            thread.start()
        peak = 0
        while any(thread.is_alive() for thread in threads):
            peak = max(peak, usage.rss(self.net.beacon.pid))
            time.sleep(0.05)
        for attack, reason in self.ENDED.items():
            wait_until(lambda n=attack.__name__, r=reason: self.gone(n, r), 20, f"{attack.__name__} to end as {reason}")
        self.assertTrue(oversized.ended.wait(20))
        wait_until(lambda: self.offended("oversized", "BROKE_OFF"), 20, "the oversized message to be held against it")
        self.assertLess(peak, MAX_RSS)

        # The slow reader is sent away while the chain goes on.
        wait_until(lambda: self.gone("slow_reader", "TOO_SLOW"), 60, "the slow reader to be sent away")
        slow.close()
        after = self.wait_for_finality(above=before.slot)
        self.assertEqual(after.waiting_blocks, 0)
        self.assertEqual([p.id for p in self.net.rpc.linked() if p.name == honest.name], [honest.id])
        self.assertEqual(next(p.score for p in self.net.rpc.linked() if p.id == honest.id), 0)
        self.assertGreater(self.net.rpcs[1].status().finalized.slot, before.slot)

    def test_handshakes(self):
        for fields, reason in (
                ({"protocol_version": 7}, "WRONG_VERSION"),
                ({"network": "another"}, "WRONG_NETWORK"),
                ({"genesis_root": bytes(32)}, "WRONG_GENESIS"),
                ({"spec_digest": bytes(32)}, "WRONG_SPEC"),
                ({"node_id": b"short"}, "MALFORMED"),
                ({"node_name": "x" * 100}, "MALFORMED"),
                ({"node_id": bytes.fromhex(self.net.rpc.node_info().node_id[2:])}, "SELF")):
            with self.subTest(reason):
                peer = self.attacker("stranger", **fields)
                wait_until(lambda p=peer: p.goodbye, 20, f"a goodbye with {reason}")
                self.assertEqual(peer.goodbye, reason)
        # Without a link nothing is answered.
        peer = self.attacker("stranger", network="another")
        with self.assertRaises(grpc.RpcError) as caught:
            peer.ask_raw("BlocksByRange", peer.messages.BlocksByRangeRequest(
                session=secrets.token_bytes(16), first_slot=1, count=1).SerializeToString())
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
        self.assertEqual(len(self.net.rpc.linked()), 1)


if __name__ == "__main__":
    e2e.main()
