"""The disk of a running beacon becomes full. The beacon reports it, accepts nothing, and continues when there is room.
On a full disk a beacon does not start, and reports the reason."""

import disks
import e2e

DISK_MIB = 160
STUCK_SLOTS = 3


class DiskFullTest(disks.DiskTest):
    def test_full_and_emptied_again(self):
        net = self.make_network_on(disks.Disk, DISK_MIB, clients=1)
        net.start()
        self.wait_for_finality()
        self.assertEqual(net.rpc.node_info().storage, "disk")

        filler = self.disk.fill()
        self.addCleanup(filler.close)
        full = self.wait_for(lambda s: s.storage_error, "the disk to be found full")
        self.assertIn("is full", full.storage_error)
        self.assertTrue(net.beacon.running())
        stuck = self.wait_for_a_stuck_chain()
        self.assertTrue(net.rpc.node_info().storage.startswith("failed: "))
        self.assertFalse(net.rpc.serving())

        filler.close()
        self.wait_for(lambda s: not s.storage_error, "the disk to be found usable")
        self.assertTrue(net.rpc.serving())
        self.wait_for_finality(above=stuck.head.slot)
        # The stored data is a valid chain.
        before = net.rpc.status()
        net.beacon.kill()
        net.start_beacon()
        self.assertGreaterEqual(net.rpc.status().finalized.slot + 1, before.finalized.slot)

    def wait_for_a_stuck_chain(self):
        """No block is built: for some slots there is no room and the head is unchanged. On a busy machine the beacon may
        take some room that becomes free before the filler does."""
        first = None

        def stuck(status):
            nonlocal first
            if not status.storage_error:
                first = None
            elif first is None or status.head != first.head:
                first = status
            return first is not None and status.slot >= first.slot + STUCK_SLOTS

        return self.wait_for(stuck, "a chain that does not go on")

    def test_does_not_start_on_a_full_disk(self):
        net = self.make_network_on(disks.Ext4, DISK_MIB, clients=1)
        with self.subTest("without a chain"), self.disk.full():
            self.assertIn("is full: 0 MiB are left", self.start_refused())
        net.start()
        before = self.wait_for_finality(above=2)
        net.beacon.kill()
        with self.subTest("with a chain"), self.disk.full():
            self.assertIn("is full: 0 MiB are left", self.start_refused())
            self.assertIn("is full: 0 MiB are left", self.refused("db", "prune"))
            # Commands that change nothing need no room.
            self.assertIn("everything fits", self.db("verify"))
            self.assertIn("finalized", self.db("inspect"))
        net.start_beacon()
        self.assertTrue(net.rpc.block(root=before.finalized.root).finalized)
        self.wait_for_finality(above=before.slot)


if __name__ == "__main__":
    e2e.main()
