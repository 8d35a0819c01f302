"""Two linked beacons with a client each. The first one's network engine is attacked. Checks what must not change."""

import re
import unittest

import e2e
import raw_peer
import usage
from duty_log import DutyLog, expect_none_missed
from leandev.processes import wait_until

MIB = 1 << 20
# The engine's reason for disconnecting a peer that violates the rules of gossip.
RULES = "its gossip breaks the rules"
# Memory without an attack, and lean-p2p's limit for a connection (CONNECTION_BYTES).
ENGINE_BYTES = 64 * MIB
CONNECTION_BYTES = 36 * MIB
# Limit of a beacon with four validators, whatever peers send.
BEACON_BYTES = 160 * MIB


@unittest.skipIf(raw_peer.missing(), raw_peer.missing())
class HostileTest(e2e.NetworkTest):
    # Long enough, because the attackers use the same processors.
    SLOT_MS = 2000

    def start_pair(self, engine_arguments=(), beacon_arguments=(), clients=2, absent=()):
        """`absent`: numbers of clients that do not run."""
        net = self.make_network(clients=clients, beacons=2, slot_ms=self.SLOT_MS)
        net.places[0].engine_arguments = engine_arguments
        net.places[0].arguments = beacon_arguments
        net.start()
        for number in absent:
            net.clients[number].stop()
        self.wait_for_all(lambda s: s.peers == 1, "the two to be linked")
        self.wait_for_all(lambda s: s.finalized.slot > 0, "finality")
        self.target = net.places[0].listen
        (self.honest,) = net.rpc.linked()
        self._duties = [
            DutyLog(client.log_path, net.settings.validators, net.client_indices(number))
            for number, client in enumerate(net.clients) if number not in absent
        ]
        self.net = net
        self.begin()

    def begin(self):
        """Duties and memory are watched from here on: by the clients' logs, and by the kernel. Whoever was there
        before but the honest peer has gone."""
        self.wait_for(lambda s: s.peers == 1, "strangers to be gone")
        self._first = self.net.rpc.status().slot
        for pid in self.pids().values():
            usage.forget_most_rss(pid)

    def pids(self):
        return {"engine": self.net.engines[0].process.pid, "beacon": self.net.beacon.pid}

    def own_status(self):
        """A Status that equals ours."""
        status = self.net.rpc.status()
        finalized = bytes.fromhex(status.finalized.root[2:]), status.finalized.slot
        return raw_peer.status(finalized, finalized)

    def attack(self, name, **options):
        return raw_peer.Attack(self.target, name, self.own_status(), **options)

    def _missed(self):
        """The missed duties since begin() or the last call, in slots that are over."""
        first, self._first = self._first, self.net.rpc.status().slot
        return [missed for log in self._duties for missed in log.missed(first, self._first - 1)]

    def most_memory(self):
        """Peak memory of engine and beacon since begin(), in bytes."""
        return {name: usage.most_rss(pid) for name, pid in self.pids().items()}

    def expect_unharmed(self, connections, attack):
        """Runs `attack`: no duty is missed (expect_none_missed()), the honest link is unchanged, and memory is within
        the limit for this many connections."""

        def attempt():
            attack()
            return self._missed()

        expect_none_missed(attempt)
        (honest,) = [peer for peer in self.net.rpc.linked() if peer.peer_id == self.honest.peer_id]
        self.assertEqual((honest.id, honest.score, honest.items_rejected), (self.honest.id, 0, 0))
        self.assertGreaterEqual(honest.gossip_score, 0)
        memory = self.most_memory()
        self.assertLess(memory["engine"], ENGINE_BYTES + connections * CONNECTION_BYTES)
        self.assertLess(memory["beacon"], BEACON_BYTES)

    def wait_for_end(self, agent, reason=RULES):
        """Waits until the first engine has disconnected a peer of this name for this reason."""
        wait_until(lambda: any(why.startswith(reason) for why in self.engine_ended(agent)), e2e.PATIENCE_S,
                   f"{agent} to be ended because of {reason}")

    def wait_for_offence(self, agent, offence):
        wait_until(lambda: self.offended(agent, offence), e2e.PATIENCE_S, f"{offence} to be held against {agent}")

    def engine_ended(self, agent):
        """The reasons why the first engine has disconnected the peers of this name, as a set."""
        log = self.net.engines[0].log
        ids = re.findall(rf'peer_identified peer=(\S+) agent="?{re.escape(agent)}"? ', log)
        return {why for peer in ids for why in re.findall(rf'peer_disconnected peer={peer} reason="(.*)"$', log, re.M)}

    def offended(self, agent, offence):
        """Whether this offence was logged for the peer of this name."""
        return any("peer_offence" in line and f'name="{agent}" ' in line and f"offence={offence} " in line
                   for line in self.log_of(0).splitlines())
