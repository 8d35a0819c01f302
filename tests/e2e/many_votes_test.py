"""More votes than a queue or batch ever held: two beacons with half of the validators each, and every vote arrives.

LEAN_VALIDATORS: how many there are; 2,200 in the default tests, 4,096 in the long one.
"""

import os

import e2e
from leandev.processes import wait_until

VALIDATORS = int(os.environ.get("LEAN_VALIDATORS", "2200"))
# Two beacons and two clients on two cores that have more to do: a millisecond and a half for each vote. An interval is a
# quarter of it.
SLOT_MS = VALIDATORS * 3 // 8 * 4
# The shortest keys there are: made for thousands of validators in seconds.
LOG_LIFETIME = 8
ACTIVE_SLOTS = 64
FULL_SLOTS = 2


class ManyVotesTest(e2e.NetworkTest):
    def test_every_vote_arrives_and_every_block_is_full(self):
        net = self.make_network(
            clients=2, beacons=2, validators=VALIDATORS, slot_ms=SLOT_MS, genesis_delay_s=10,
            active_slots=ACTIVE_SLOTS, log_lifetime=LOG_LIFETIME)
        net.start()
        full = [0, 0]  # slots in a row of which a beacon has seen every vote
        last = [0, 0]

        def seen():
            for number, rpc in enumerate(net.rpcs):
                status = rpc.try_status()
                if status is None or status.slot < 2 or status.slot == last[number]:
                    continue
                last[number] = status.slot
                complete = status.votes_in_previous_slot == VALIDATORS
                full[number] = full[number] + 1 if complete else 0
                print(f"beacon {number}: slot {status.slot - 1}: {status.votes_in_previous_slot} votes", flush=True)
            return min(full) >= FULL_SLOTS

        wait_until(seen, e2e.PATIENCE_S, f"{FULL_SLOTS} slots with the votes of all at both beacons")
        # The first of them has blocks on both sides; a block has the votes of the slot before it, but its proposer's own.
        slot = net.rpc.status().slot - 1
        for rpc in net.rpcs:
            block = wait_until(lambda rpc=rpc: e2e.block_at(rpc, slot), e2e.PATIENCE_S, f"the block of slot {slot}")
            self.assertGreaterEqual(len(block.attestations), VALIDATORS - 1)
        for number, engine in enumerate(net.engines):
            for lost in ("not_published", "overloaded", "peer_offence"):
                self.assertNotIn(lost, self.log_of(number))
            for lost in ("items_expired", "item_dropped", "item_malformed", "item_unpublished", "peer_slow", "beacon_detached"):
                self.assertNotIn(lost, engine.log)


if __name__ == "__main__":
    e2e.main()
