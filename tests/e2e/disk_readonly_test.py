"""The disk of a running beacon accepts no more writes. The beacon reports it and accepts nothing. Its validators use
another beacon without missing or repeating a duty. The beacon continues when the disk does."""

import disks
import e2e
from duty_log import DutyLog, expect_none_missed
from leandev.processes import Process, wait_until

SLOT_MS = 1600
DISK_MIB = 256
# Slots in which the first beacon has no disk.
WITHOUT_SLOTS = 4


class ReadOnlyDiskTest(disks.DiskTest):
    def setUp(self):
        super().setUp()
        net = self.make_network_on(disks.Ext4, DISK_MIB, clients=1, beacons=2, slot_ms=SLOT_MS)
        for number in range(2):
            net.start_node(number)
        log_path = net.settings.directory / "client.log"
        self.addresses = [place.rpc_address for place in net.places]
        net.clients[0] = Process(
            "client",
            [e2e.BUILD_DIR / "bin" / "lean-validator", "run", "--keystores", net.keystores[0], "--genesis",
             net.genesis_dir, "--beacon", ",".join(self.addresses)],
            log_path)
        self.log = DutyLog(log_path, net.settings.validators)
        self.wait_for_finality()
        self.begin = self.await_duties_with(0)

    def await_duties_with(self, beacon):
        """Waits for a slot, from now on, whose duties are all done with that beacon. Returns the slot."""
        begin, address = self.network.rpcs[1].status().slot, self.addresses[beacon]

        def done():
            blocks, votes = self.log.blocks(), self.log.votes()
            return next((s for s in blocks if s > begin and blocks[s] == votes.get(s) == address), None)

        return wait_until(done, e2e.PATIENCE_S, f"the duties of a slot with beacon {beacon}")

    def expect_failed(self, why):
        """The first beacon reports that it cannot write, and does not serve; duties continue with the second one."""
        rpc = self.network.rpc
        # A write in progress at that moment may fail for another reason.
        failed = self.wait_for(lambda s: why in s.storage_error, f"the disk to be found failing: {why}")
        self.assertIn(why, rpc.node_info().storage)
        self.assertFalse(rpc.serving())
        after = self.await_duties_with(1)
        wait_until(
            lambda: max(self.log.votes()) >= after + WITHOUT_SLOTS, e2e.PATIENCE_S, "more slots with the second beacon")
        # It still answers queries. It accepts neither submissions nor items from its peer.
        self.assertTrue(self.network.beacon.running())
        self.assertLess(rpc.status().head.slot, after + WITHOUT_SLOTS)
        self.assertEqual(rpc.block(root=failed.finalized.root).root, failed.finalized.root)
        return failed

    def missed(self, last):
        """The missed duties from the first slot on, which is later at the next call. None was signed twice."""
        missed = self.log.missed(self.begin, last)
        votes = {}
        for slot in range(1, last + 1):
            block = e2e.block_at(self.network.rpcs[1], slot)
            if block is None:
                self.assertTrue(slot < self.begin or f"block {slot}" in missed, f"slot {slot} without a block")
                continue
            for vote in (*block.attestations, block.proposer_attestation):
                content = vote.SerializeToString()
                self.assertEqual(votes.setdefault((vote.validator_index, vote.slot), content), content, "signed twice")
        self.assertGreater(len(votes), 3 * (last - self.begin) - len(missed))
        self.begin = last + 1
        return missed

    def test_immutable_for_a_while(self):
        expect_none_missed(self.make_immutable_for_a_while, self.log.text)

    def make_immutable_for_a_while(self):
        """Returns the duties that were missed."""
        self.disk.protect(True)
        failed = self.expect_failed("Operation not permitted")
        self.disk.protect(False)
        self.wait_for(lambda s: not s.storage_error, "the disk to be found usable")
        self.assertTrue(self.network.rpc.serving())
        back = self.await_duties_with(0)
        missed = self.missed(back)
        self.wait_for_finality(above=back)
        self.assertTrue(self.network.rpc.block(root=failed.finalized.root).finalized)
        return missed

    def test_made_read_only_by_the_kernel(self):
        expect_none_missed(self.fail_and_repair, self.log.text)

    def fail_and_repair(self):
        """Returns the duties that were missed."""
        try:
            self.disk.fail()
        except disks.Unavailable as error:
            self.skipTest(str(error))
        failed = self.expect_failed("Read-only file system")
        # It stops in order. On a read-only disk no beacon starts, and commands that only read work.
        self.assertEqual(self.network.beacon.stop(), 0, self.network.beacon.log_tail())
        self.assertIn("Read-only file system", self.start_refused())
        self.assertIn("finalized", self.db("inspect"))
        self.disk.unmount()
        self.disk.repair()
        self.disk.mount("ro")
        self.assertIn("Read-only file system", self.start_refused())
        self.assertIn("everything fits", self.db("verify"))

        self.disk.unmount()
        self.disk.mount()
        self.network.start_beacon()
        self.assertEqual(self.network.rpc.block(root=failed.finalized.root).slot, failed.finalized.slot)
        back = self.await_duties_with(0)
        missed = self.missed(back)
        self.wait_for_finality(above=back)
        return missed


if __name__ == "__main__":
    e2e.main()
