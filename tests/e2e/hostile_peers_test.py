"""Many peers attack one of two beacons through its network engine at once, each in its own way. Validators miss no
duty, the honest link stays, memory is bounded. Every attacker is disconnected for the right reason or has no
effect."""

import secrets
import threading
import time

import e2e
import hostile
import raw_peer
from leandev.processes import wait_until

BUSY_S = 6
INVALID = "INVALID_ITEM"
# By the layer that they attack, with the program's names. The attacks of a line run at once.
WAVES = (
    ("half-handshakes", "connections", "streams", "empty-streams", "resets", "garbage", "negotiation"),
    ("ihave", "iwant", "idontwant", "grafts", "prunes", "subscriptions", "oversized", "in-flight"),
    ("many-in-one", "no-messages", "no-snappy", "bombs", "signed", "votes", "unread"),
    ("lengths", "frame-bombs", "trickle", "roots", "requests", "unread-answers", "unasked"),
)
# The engine detects the fault of these.
ENDED = ("grafts", "no-snappy", "bombs", "signed")


class HostilePeersTest(hostile.HostileTest):
    def setUp(self):
        super().setUp()
        self.start_pair()

    def test_attacks(self):
        for wave in WAVES:
            self.expect_unharmed(2 * len(wave), lambda wave=wave: self.run_at_once(wave))
        for name in ENDED:
            self.wait_for_end(name)
        # The verdict of either beacon ends them, whichever comes first.
        self.wait_for_offence("votes", INVALID)
        self.wait_for_end("votes", ("the beacon ends it: ", hostile.RULES))
        self.expect_finality()

    def run_at_once(self, names):
        attacks = [self.attack(name, connections=2, seconds=BUSY_S) for name in names]
        for attack in attacks:
            self.until_begun(attack.name, lambda done: done["connected"] + done["dialled"] > 0, attack, connections=2)

    def until_begun(self, name, begun, attack=None, **options):
        """Waits for the end of an attack, and repeats it when it has not `begun`: on a busy machine its time may be over
        before. Returns its results."""

        def end():
            nonlocal attack
            done = (attack or self.attack(name, seconds=BUSY_S, **options)).done()
            attack = None
            print(name, done, flush=True)
            return done if begun(done) else None

        return wait_until(end, e2e.PATIENCE_S, f"{name} to begin")

    def test_addresses(self):
        """From many addresses, strangers can take all connections that are open to them, and no others."""

        def from_many():
            done = self.until_begun(
                "connections", lambda done: done["connected"] > 40, connections=100, from_many=True)
            self.assertLess(done["standing"], 64)

        self.expect_unharmed(64, from_many)
        self.expect_finality()

    def expect_finality(self):
        after = self.wait_for_finality(above=self.net.rpc.status().slot)
        self.wait_for_all(lambda s: s.finalized.slot >= after.finalized.slot, "both to finalize")
        self.assertEqual(after.waiting_blocks, 0)

    # --- Content: the name, and the offence that the beacon reports ---

    def head(self):
        status = self.net.rpc.status()
        return status, (bytes.fromhex(status.head.root[2:]), status.head.slot)

    def repeat(self, peer, kind, make):
        """Sends what `make` returns until the peer is disconnected or the time is over."""
        end = time.monotonic() + BUSY_S
        while time.monotonic() < end and peer.gossip(kind, raw_peer.compress(make())):
            time.sleep(0.01)

    def bad_votes(self, peer):
        status, head = self.head()
        self.repeat(peer, "attestation", lambda: raw_peer.vote(secrets.randbelow(4), status.slot, head))

    def bad_blocks(self, peer):
        def make():
            status, head = self.head()
            return raw_peer.block(status.slot, status.proposer_index, head[0])

        self.repeat(peer, "block", make)

    def orphans(self, peer):
        def make():
            status, _ = self.head()
            return raw_peer.block(status.slot, status.proposer_index, secrets.token_bytes(32))

        self.repeat(peer, "block", make)

    def orphan_votes(self, peer):
        status, _ = self.head()
        self.repeat(peer, "attestation", lambda: raw_peer.vote(
            secrets.randbelow(4), status.slot, (secrets.token_bytes(32), status.slot)))

    def no_blocks(self, peer):
        self.repeat(peer, "block", lambda: secrets.token_bytes(5000))

    CONTENT = {bad_votes: INVALID, bad_blocks: INVALID, orphans: INVALID, orphan_votes: INVALID, no_blocks: None}

    def peer(self, agent, own_status=None):
        peer = raw_peer.RawPeer(self.target, agent, own_status or self.own_status())
        self.addCleanup(peer.close)
        return peer

    def claim_until_offended(self, peer, offences, answers):
        """It has the block of each next slot, as it says, until it is asked for it and one of these is held against it.
        `answers`: with a block of nobody."""

        def claimed():
            status, head = self.head()
            finalized = bytes.fromhex(status.finalized.root[2:]), status.finalized.slot
            if answers:
                peer.answer(raw_peer.block(status.slot + 1, status.proposer_index, head[0]))
            peer.tell(raw_peer.status(finalized, (secrets.token_bytes(32), status.slot + 1)))
            return any(self.offended(peer.agent, offence) for offence in offences)

        wait_until(claimed, e2e.PATIENCE_S, f"one of {offences} to be held against {peer.agent}")
        self.assertTrue(any("blocks" in protocol for protocol, _ in peer.asked), peer.asked)

    def test_content(self):
        before, head = self.head()
        nowhere = secrets.token_bytes(32)
        # It claims a head far ahead of the clock.
        boaster = self.peer("boaster", raw_peer.status((nowhere, before.slot + 40_000), (nowhere, before.slot + 50_000)))
        # They claim unknown heads. One answers with an unknown block, the other one never answers.
        liar = self.peer("liar")
        self.claim_until_offended(liar, (INVALID, "BAD_ANSWER", "LIED"), answers=True)
        liar.close()
        silent = self.peer("silent")
        silent.answer_nothing()
        self.claim_until_offended(silent, ("UNRESPONSIVE",), answers=False)
        # Its finalized block is not on our chain.
        stranger = self.peer("stranger", raw_peer.status((nowhere, 1), (nowhere, before.slot)))
        self.expect_unharmed(len(self.CONTENT) + 5, self.send_bad_content)
        self.assertTrue(stranger.ended.wait(e2e.PATIENCE_S), "the stranger is still there")
        self.wait_for_log(0, "it is on another chain: its finalized block of slot 1 is not on ours")
        self.assertFalse(boaster.ended.is_set())
        # It receives requests of others, as it should.
        good = self.peer("good")
        answer = good.ask("blocks_by_root", head[0])
        self.assertEqual(answer[0], 0, answer[:100])
        self.assertEqual(good.ask("blocks_by_root", secrets.token_bytes(32)), b"")
        self.expect_finality()

    def send_bad_content(self):
        peers = {attack: self.peer(attack.__name__) for attack in self.CONTENT}
        threads = [threading.Thread(target=attack, args=(self, peer), daemon=True) for attack, peer in peers.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for attack, offence in self.CONTENT.items():
            if offence:
                self.wait_for_offence(attack.__name__, offence)
        for peer in peers.values():
            self.assertTrue(peer.ended.wait(e2e.PATIENCE_S), f"{peer.agent} is still there")


if __name__ == "__main__":
    e2e.main()
