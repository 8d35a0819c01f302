"""A dishonest validator has signed many valid votes for each of many slots, and a peer floods them. Two votes for a slot
are looked at, as for any equivocation. Honest validators miss no duty, links stay, and whoever sent them is not
blamed."""

import secrets
import subprocess

import e2e
import hostile
import raw_peer
from leandev import network
from metrics_page import scrape

SIGNER = e2e.BUILD_DIR / "bin" / "lean-test-dishonest-signer"
# The validator that signs them. Its client does not run.
VALIDATOR = 3
# For each of these slots, before it begins and when it has begun.
SLOTS = 5
VOTES = 400
SLOTS_TO_SIGN = 30


class Signer:
    """Signs what the validator client's records refuse."""

    def __init__(self, key_file):
        self._process = subprocess.Popen([SIGNER, key_file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def vote(self, slot, finalized):
        """SSZ of a vote for an invented head, with a right signature."""
        unsigned = raw_peer.attestation(VALIDATOR, slot, (secrets.token_bytes(32), slot), finalized)
        self._process.stdin.write(unsigned.hex() + "\n")
        self._process.stdin.flush()
        return unsigned + bytes.fromhex(self._process.stdout.readline().strip().removeprefix("0x"))

    def close(self):
        self._process.communicate()


class PresignedVotesTest(hostile.HostileTest):
    def test_flood(self):
        metrics_port = network.free_port()
        self.start_pair(clients=4, absent=(VALIDATOR,), beacon_arguments=("--metrics-address", metrics_port))
        self.signer = Signer(self.net.keystores[VALIDATOR].parent / f"validator_{VALIDATOR}.key")
        self.addCleanup(self.signer.close)
        self.peer = raw_peer.RawPeer(self.target, "flooder", self.own_status())
        self.addCleanup(self.peer.close)
        self.expect_unharmed(1, lambda: self.flood_slots(metrics_port))
        self.assertFalse(self.peer.ended.is_set())
        self.assertNotIn("peer_offence", self.log_of(0) + self.log_of(1))
        self.wait_for_finality(above=self.net.rpc.status().slot)

    def flood_slots(self, metrics_port):
        status = self.net.rpc.status()
        finalized = bytes.fromhex(status.finalized.root[2:]), status.finalized.slot
        # There is time to sign them all before the first of these slots, also on a busy machine.
        first = status.slot + SLOTS_TO_SIGN
        slots = range(first, first + SLOTS)
        early, timely = ([[self.signer.vote(slot, finalized) for _ in range(VOTES)] for slot in slots] for _ in range(2))
        self.assertLess(self.net.rpc.status().slot, first - 3)
        self.wait_for(lambda s: s.slot >= first - 3, f"slot {first - 3}")

        status = self.net.rpc.status()
        before = scrape(metrics_port)
        for votes in early:
            self.flood(votes)
        for slot, votes in zip(slots, timely):
            self.wait_for(lambda s, slot=slot: s.slot >= slot, f"slot {slot}")
            self.flood(votes)
        self.wait_for(lambda s: s.slot > slots[-1] + 1, "the last of these slots to end")
        after = scrape(metrics_port)

        def counted(name):
            return after.get(name, 0) - before.get(name, 0)

        refused = counted('lean_beacon_refused_total{kind="vote"}')
        checked = counted('lean_beacon_signatures_total{result="right"}')
        print(f"of {2 * SLOTS * VOTES} votes {refused:.0f} were refused; "
              f"{checked:.0f} signatures of all peers were checked", flush=True)
        self.assertEqual(counted('lean_beacon_equivocations_total{kind="vote"}'), SLOTS)
        # In a slot there are three honest votes, a block with the proposer's vote, and two of the dishonest validator.
        self.assertLess(checked, 10 * (slots[-1] + 2 - status.slot))
        self.assertEqual(counted('lean_beacon_signatures_total{result="wrong"}'), 0)

    def flood(self, votes):
        for vote in votes:
            self.assertTrue(self.peer.gossip("attestation", raw_peer.compress(vote)))


if __name__ == "__main__":
    e2e.main()
