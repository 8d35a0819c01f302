"""A node joins when the chain is long, or its blocks are full. It catches up over the network, and from then on its
client's duties are done.

LEAN_VALIDATORS (4) and LEAN_SLOTS (2000) describe the chain when the node joins. A third of the validators belong to
the node's client.
"""

import os
import time

import e2e
import usage
from duty_log import DutyLog
from leandev.processes import wait_until

VALIDATORS = int(os.environ.get("LEAN_VALIDATORS", "4"))
SLOTS = int(os.environ.get("LEAN_SLOTS", "2000"))
# Two nodes on two cores take 1.5 ms for each vote.
SLOT_MS = max(400, VALIDATORS * 3 // 8 * 4)
# The shortest keys for this number of slots.
LOG_LIFETIME = 8 if SLOTS < 240 else 16
ACTIVE_SLOTS = 1 << (SLOTS + SLOTS // 5).bit_length()
LATE, ITS_CLIENT = 1, 1
DUTY_SLOTS = 4


class CatchUpTest(e2e.NetworkTest):
    def test_a_late_node_catches_up_and_its_duties_are_done(self):
        net = self.make_network(
            clients=3, beacons=2, validators=VALIDATORS, slot_ms=SLOT_MS, genesis_delay_s=10 + VALIDATORS // 100,
            active_slots=ACTIVE_SLOTS, log_lifetime=LOG_LIFETIME)
        net.start_node(0)
        for number in range(3):
            if number != ITS_CLIENT:
                net.start_client(number)
        begin = self.wait_for(lambda s: s.slot > SLOTS, f"slot {SLOTS}", SLOTS * SLOT_MS / 1000 + e2e.PATIENCE_S)
        self.assertGreater(begin.finalized.slot, SLOTS - 20)

        began = time.monotonic()
        net.start_node(LATE)
        most = 0

        def caught_up():
            nonlocal most
            most = max(most, usage.rss(net.beacons[LATE].pid))
            own, first = net.rpcs[LATE].try_status(), net.rpc.try_status()
            return own is not None and first is not None and own.synced and own.head == first.head

        wait_until(caught_up, 5 * e2e.PATIENCE_S, "the late node to have caught up")
        took = time.monotonic() - began
        engines = [usage.rss(engine.process.pid) for engine in net.engines]
        print(f"{begin.head.slot} slots with {VALIDATORS} validators: {took:.1f} s; beacon {most / 2**20:.0f} MiB at most, "
              f"engines {max(engines) / 2**20:.0f} MiB", flush=True)
        net.start_client(ITS_CLIENT)
        duties = DutyLog(net.clients[ITS_CLIENT].log_path, VALIDATORS, net.client_indices(ITS_CLIENT))
        first = wait_until(lambda: min(duties.votes(), default=0), e2e.PATIENCE_S, "its client's first votes")
        last = first + DUTY_SLOTS
        wait_until(lambda: max(duties.votes()) > last, e2e.PATIENCE_S, f"its votes after slot {last}")
        self.assertEqual(duties.missed(first + 1, last), [], duties.text())
        for number in range(2):
            self.wait_for_all(lambda s: s.votes_in_previous_slot == VALIDATORS and s.finalized.slot > first,
                              "the votes of all, and finality", [number])
            self.assertNotIn("peer_offence", self.log_of(number))


if __name__ == "__main__":
    e2e.main()
