"""Half of the validators are absent for a long time, and nothing is finalized. The beacon's memory does not grow with
it, it reads evicted blocks and states from its disk, it restarts at once, and finality resumes."""

import statistics
import time

import e2e
import usage
from leandev.processes import wait_until

# Validators, and slots of a stall. The clients have a half each, and only the first one runs.
MANY_SLOTS = (16, 2000)
MANY_VOTES = (4096, 90)
# Blocks and states in memory have reached their bounds after this many slots.
WARM_SLOTS = 1200
# By how much memory may grow in a slot then: 200 bytes a block, the protocol's list of roots, and what the database's
# buffers are more at the end than in the middle.
GROWTH_PER_SLOT = 2048
# With thousands of votes a slot blocks are at their bound after a few slots.
WARM_SLOTS_OF_VOTES = 40
GROWTH_OF_VOTES = 64 << 20
RESTART_S = 30


class StallTest(e2e.NetworkTest):
    def stalled(self, validators, slots, slot_ms, active_slots, samples_every):
        """Runs a network of which half never comes, and returns samples of its beacon. The other half has to vote,
        or the samples would tell nothing."""
        net = self.make_network(
            clients=2, beacons=2, validators=validators, slot_ms=slot_ms, active_slots=active_slots,
            genesis_delay_s=20)
        net.start_node(0)
        net.start_client(0)
        samples, votes = [], []
        for slot in range(samples_every, slots + 1, samples_every):
            status = self.wait_for(
                lambda s, slot=slot: s.slot >= slot, f"slot {slot}",
                timeout_s=samples_every * slot_ms / 1000 + e2e.PATIENCE_S)
            samples.append(usage.sample(net.beacons[0].pid, net.data_dir(0), status.slot))
            votes.append(status.votes_in_previous_slot)
            if slot % (10 * samples_every) == 0 or slot == slots:
                print(f"slot={status.slot} head={status.head.slot} finalized={status.finalized.slot} "
                      f"votes={status.votes_in_previous_slot} rss_mib={samples[-1].rss / 2**20:.1f} "
                      f"disk_mib={samples[-1].disk / 2**20:.1f}", flush=True)
        self.assertEqual(status.finalized.slot, 0)
        self.assertGreater(status.head.slot, slots // 2)
        self.assertGreater(statistics.mean(votes), 0.9 * validators / 2, "votes of a slot")
        return samples

    def assert_readable(self, slots):
        """Blocks and states of these slots, those that have a block."""
        found = 0
        for slot in slots:
            block = e2e.block_at(self.network.rpc, slot)
            if block is None:
                continue
            state = self.network.rpc.state(slot=slot, timeout_s=30)
            self.assertEqual(state.state_root, block.state_root)
            found += 1
        self.assertGreater(found, 0)

    def restart(self):
        """Seconds until the restarted beacon answers."""
        net = self.network
        head = self.wait_for(lambda s: s.slot > 0, "a status").head.slot
        net.beacons[0].stop()
        began = time.monotonic()
        net.start_beacon(0)
        self.wait_for(lambda s: s.head.slot >= head, "the head of before")
        return time.monotonic() - began

    def second_head(self):
        status = self.network.rpcs[1].try_status()
        return status.head.slot if status is not None else 0

    def test_thousands_of_slots(self):
        validators, slots = MANY_SLOTS
        samples = self.stalled(validators, slots, slot_ms=500, active_slots=4096, samples_every=20)
        growth = usage.slope([sample for sample in samples if sample.slot > WARM_SLOTS], "rss")
        self.assert_readable(range(1, slots, 97))
        took = self.restart()
        print(f"growth={growth:.0f} bytes a slot, restart={took:.1f} s", flush=True)
        self.assertLess(growth, GROWTH_PER_SLOT)
        self.assertLess(took, RESTART_S)
        # A second beacon gets the whole chain from the first one's disk.
        self.network.start_node(1)
        wait_until(lambda: self.second_head() >= slots, 10 * e2e.PATIENCE_S, "the second beacon to be there")
        self.network.start_client(1)
        self.wait_for_finality(above=slots)

    def test_thousands_of_votes(self):
        validators, slots = MANY_VOTES
        samples = self.stalled(validators, slots, slot_ms=8000, active_slots=256, samples_every=5)
        warm = [sample.rss for sample in samples if sample.slot >= WARM_SLOTS_OF_VOTES]
        self.assert_readable(range(1, slots, 11))
        took = self.restart()
        print(f"most={max(warm) / 2**20:.0f} MiB, at slot {WARM_SLOTS_OF_VOTES}: {warm[0] / 2**20:.0f} MiB, "
              f"restart={took:.1f} s", flush=True)
        self.assertLess(max(warm) - warm[0], GROWTH_OF_VOTES)
        self.assertLess(took, RESTART_S)


if __name__ == "__main__":
    e2e.main()
