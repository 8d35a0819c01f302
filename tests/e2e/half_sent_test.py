"""Connections begin calls, hold back the end of each request, and reconnect when they are closed, while a validator
client works. The beacon's memory for them is bounded, and no duty is missed."""

import time

import e2e
import half_sent
import usage
from duty_log import DutyLog, expect_none_missed

# Connections, and calls that each begins: the first case exceeds the limit of a connection, the second the total limit.
SHAPES = ((6, 128), (40, 2))
SLOTS = 5
SLOT_MS = 2000
# The limit of incomplete requests, what arrives before it is enforced, and the beacon's usual memory.
MAX_RSS = 1 << 30


class HalfSentTest(e2e.NetworkTest):
    def test_requests_that_are_never_whole(self):
        net = self.start_network(clients=1, slot_ms=SLOT_MS)
        for connections, calls in SHAPES:
            with self.subTest(connections=connections, calls=calls):
                expect_none_missed(lambda shape=(connections, calls): self.attack(net, *shape))

    def attack(self, net, connections, calls):
        """Returns the duties that were missed."""
        before = self.wait_for(lambda s: s.slot >= 2 and s.votes_in_previous_slot == 4, "the first votes")
        attackers = [None] * connections
        began = peak = sent = 0
        slot = before.slot
        while slot < before.slot + SLOTS:
            for place, attacker in enumerate(attackers):
                if attacker is None or attacker.ended >= calls:
                    sent += attacker.sent if attacker is not None else 0
                    attackers[place] = half_sent.HalfSentCalls(
                        net.settings.address, "/lean.v1.DutyService/SubmitVotes", calls)
                    self.addCleanup(attackers[place].close)
                    began += 1
            peak = max(peak, usage.rss(net.beacon.pid))
            slot = net.rpc.status().slot
            time.sleep(0.05)
        for attacker in attackers:
            attacker.close()
        print(f"{connections} at a time: {began} connections sent {sent >> 20} MiB; memory {peak >> 20} MiB at most",
              flush=True)
        self.assertGreater(began, connections, "some were ended")
        self.assertLess(peak, MAX_RSS)
        duties = DutyLog(net.clients[0].log_path, net.settings.validators)
        return duties.missed(before.slot, slot - 1)


if __name__ == "__main__":
    e2e.main()
