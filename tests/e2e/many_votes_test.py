"""More votes than any queue or batch holds: every vote reaches every beacon in time, and every block is full.

LEAN_VALIDATORS: number of validators (2,200). LEAN_BEACONS: number of beacons that share them, each with a network
engine and a client (2). LEAN_SLOT_MS: by default 1.5 ms for each vote, which suits two cores that other programs also
use. LEAN_VOTES_DUE_MS: when all votes must have reached all beacons, from the begin of the slot; by default its end.
LEAN_FULL_SLOTS: in how many slots in a row.
"""

import os
import threading

import e2e
from leandev.processes import wait_until

VALIDATORS = int(os.environ.get("LEAN_VALIDATORS", "2200"))
BEACONS = int(os.environ.get("LEAN_BEACONS", "2"))
SLOT_MS = int(os.environ.get("LEAN_SLOT_MS", VALIDATORS * 3 // 8 * 4))
VOTES_DUE_MS = int(os.environ.get("LEAN_VOTES_DUE_MS", SLOT_MS))
# The shortest keys: they can be made for thousands of validators in seconds. They last for longer than both waits.
LOG_LIFETIME = 8
ACTIVE_SLOTS = 128
FULL_SLOTS = int(os.environ.get("LEAN_FULL_SLOTS", "2"))
POLL_S = 0.02


class Watch:
    """Asks a beacon for its votes from a separate thread, and records when it had all votes of a slot."""

    def __init__(self, rpc, genesis_ms):
        self._rpc, self._genesis_ms = rpc, genesis_ms
        self._stopped = threading.Event()
        self.complete = {}  # slot: milliseconds from its begin
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopped.wait(POLL_S):
            status = self._rpc.try_status()
            if status is not None and status.votes_in_slot == VALIDATORS:
                self.complete.setdefault(status.slot, status.time_ms - self._genesis_ms - status.slot * SLOT_MS)

    def stop(self):
        self._stopped.set()
        self._thread.join()

    def full_slots(self):
        """The last slots in a row that had all votes in time."""
        found = []
        for slot in sorted(self.complete, reverse=True):
            if found and slot != found[-1] - 1 or self.complete[slot] > VOTES_DUE_MS:
                break
            found.append(slot)
        return found


class ManyVotesTest(e2e.NetworkTest):
    def test_every_vote_arrives_and_every_block_is_full(self):
        net = self.make_network(
            clients=BEACONS, beacons=BEACONS, validators=VALIDATORS, slot_ms=SLOT_MS, genesis_delay_s=10 * BEACONS // 2,
            active_slots=ACTIVE_SLOTS, log_lifetime=LOG_LIFETIME)
        net.start()
        genesis_ms = net.rpc.genesis().genesis_time * 1000
        watches = [Watch(rpc, genesis_ms) for rpc in net.rpcs]
        for watch in watches:
            self.addCleanup(watch.stop)
        first = wait_until(lambda: max(watches[0].complete, default=0), e2e.PATIENCE_S, "a slot with all votes")
        before = self.cpu_s()

        def full():
            slots = set.intersection(*(set(watch.full_slots()) for watch in watches))
            slots = sorted(slot for slot in slots if slot > first)
            return slots if len(slots) >= FULL_SLOTS else None

        try:
            slots = wait_until(full, e2e.PATIENCE_S, f"{FULL_SLOTS} slots with the votes of all at all beacons in time")
        except TimeoutError as error:
            self.fail(f"{error}; when each had them, in ms of a slot: {[watch.complete for watch in watches]}")
        finally:
            passed = max(1, net.rpc.status().slot - first)
            spent = [f"{name} {(cpu - before[name]) / passed:.2f}" for name, cpu in self.cpu_s().items()]
            print("CPU seconds a slot:", ", ".join(spent), flush=True)
        for number, watch in enumerate(watches):
            after = [watch.complete[slot] for slot in slots]
            print(f"beacon {number}: all votes of slots {slots} after {after} ms", flush=True)
        # A block has the votes of the previous slot, except its proposer's own.
        for slot in slots[1:]:
            for rpc in net.rpcs:
                block = wait_until(lambda rpc=rpc: e2e.block_at(rpc, slot), e2e.PATIENCE_S, f"the block of slot {slot}")
                self.assertGreaterEqual(len(block.attestations), VALIDATORS - 1)
        for number, engine in enumerate(net.engines):
            for lost in ("not_published", "overloaded", "peer_offence"):
                self.assertNotIn(lost, self.log_of(number))
            for lost in ("items_expired", "item_dropped", "item_malformed", "item_unpublished", "peer_slow",
                         "beacon_detached"):
                self.assertNotIn(lost, engine.log)

    def cpu_s(self):
        """CPU seconds of each process so far."""
        return {process.name: process.cpu_s() for process in self.network.processes()}


if __name__ == "__main__":
    e2e.main()
