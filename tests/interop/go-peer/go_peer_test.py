"""A peer on another team's libp2p (go-libp2p); only the code in this folder is ours. The honest peer carries gossip between
two nodes that are not connected, and serves the blocks that the later node lacks. The hostile peer attacks a node."""

import json
import subprocess
import threading
import unittest

import e2e
import go_programs
import hostile
import raw_peer
from leandev.processes import wait_until

BUSY_S = 8
MOST_S = 180  # until it has ended, at its priority
ATTACKS = "streams,resets,ihave,iwant,grafts,no_snappy,no_vote,oversized,lengths,signed"


class GoPeer:
    """The peer, at a low priority. `events` holds what it has printed so far."""

    def __init__(self, test, addresses, own_status, *arguments):
        command = ["nice", "-n", "10", "setpriv", "--pdeathsig", "KILL", "--", test.program]
        self._process = subprocess.Popen([*command, "-peers", ",".join(addresses), "-status", own_status.hex(), *map(str, arguments)],
                                         stdout=subprocess.PIPE, text=True)
        test.addCleanup(self._close)
        self.events = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self.events.append(json.loads(line))

    def all(self, event, **fields):
        """Returns the events with this name and these fields."""
        return [e for e in list(self.events) if e["event"] == event and fields.items() <= e.items()]

    def wait_for(self, event, **fields):
        """Waits until there are such events, and returns them."""
        return wait_until(lambda: self.all(event, **fields), e2e.PATIENCE_S, f"the event {event} with {fields}")

    def wait(self, timeout_s):
        code = self._process.wait(timeout_s)
        self._reader.join()
        return code

    def _close(self):
        self._process.kill()
        self._process.wait()


class GoPeerTest(hostile.HostileTest):
    @classmethod
    def setUpClass(cls):
        cls.program, why = go_programs.peer(e2e.BUILD_DIR / "bin")
        if why:
            raise unittest.SkipTest(why)

    def test_honest(self):
        net = self.make_network(clients=2, beacons=2, slot_ms=1000)
        for place in net.places:
            place.dials = []
        net.start_node(0)
        genesis = bytes.fromhex(net.rpc.status().head.root[2:]), 0
        peer = GoPeer(self, [net.dial_address(number) for number in range(2)], raw_peer.status(genesis, genesis))
        self.wait_for(lambda s: s.peers == 1, "the peer to be linked")
        net.start_client(0)
        first, second = net.peer_id(0), net.peer_id(1)
        wait_until(lambda: len(peer.all("gossip", kind="block", **{"from": first})) >= 2, e2e.PATIENCE_S, "two blocks")
        # The second node has missed these blocks, and can request them from this peer only.
        net.start_node(1)
        net.start_client(1)
        finalized = min(s.finalized.slot for s in self.wait_for_all(lambda s: s.finalized.slot > 0, "finality"))
        roots = {e2e.block_at(rpc, finalized).root for rpc in net.rpcs}
        self.assertEqual(len(roots), 1)
        peer.wait_for("served", peer=second, found=True)
        for node in (first, second):
            peer.wait_for("status", peer=node, bytes=80)
            for kind in ("block", "attestation"):
                peer.wait_for("gossip", kind=kind, **{"from": node})
        for framing in ("content", "compressed"):
            answers = peer.wait_for("block_by_root", framing=framing)
            self.assertTrue(all(answer["same"] for answer in answers), answers)
        for rpc in net.rpcs:
            (linked,) = rpc.linked()
            self.assertEqual((linked.agent, linked.score, linked.items_rejected), ("go-peer/1", 0, 0))
            self.assertGreater(linked.items_accepted, 0)

    def test_hostile(self):
        self.start_pair()
        self.expect_unharmed(ATTACKS.count(",") + 1, self.attack_in_go)
        for name in ("no_snappy", "signed", "grafts"):
            self.wait_for_end(name)
        self.wait_for_offence("no_vote", "INVALID_ITEM")
        self.wait_for_finality(above=self.net.rpc.status().slot)

    def attack_in_go(self):
        peer = GoPeer(self, [self.net.dial_address(0)], self.own_status(), "-hostile", ATTACKS, "-seconds", BUSY_S)
        self.assertEqual(peer.wait(MOST_S), 0)
        for event in peer.all("attacked"):
            print(event, flush=True)
            self.assertGreater(event["times"], 0, event)


if __name__ == "__main__":
    e2e.main()
