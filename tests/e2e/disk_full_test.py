"""The disk of a beacon becomes full while it runs: it says so, takes nothing more, and goes on once there is room."""

import os
import subprocess
import threading
import unittest

import e2e

DISK_MIB = 160


class Filler:
    """Takes what the disk has left, and what the database gives back while it tries, until stop()."""

    def __init__(self, path):
        self._path = path
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stopping.wait(0.01):
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        os.write(self._file, b"\0" * size)
                except OSError:
                    pass

    def stop(self):
        if not self._stopping.is_set():
            self._stopping.set()
            self._thread.join()
            os.close(self._file)
            self._path.unlink()


@unittest.skipUnless(os.geteuid() == 0, "a file system of its own needs root")
class DiskFullTest(e2e.NetworkTest):
    def test_full_and_emptied_again(self):
        net = self.make_network(clients=1)
        net.data_dir().mkdir(mode=0o700)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", net.data_dir()],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"cannot mount a tmpfs: {mounted.stderr.strip()}")
        # Cleanups run last to first: the processes end before.
        self._cleanups.insert(1, (subprocess.run, (["umount", "--lazy", net.data_dir()],), {"check": False}))
        net.start()
        self.wait_for_finality()
        self.assertEqual(net.rpc.node_info().storage, "disk")

        filler = Filler(net.data_dir() / "filler")
        self.addCleanup(filler.stop)
        full = self.wait_for(lambda s: s.storage_error, "the disk to be found full")
        self.assertIn("is full", full.storage_error)
        self.assertTrue(net.beacon.running())
        self.assertTrue(net.rpc.node_info().storage.startswith("failed: "))
        self.assertFalse(net.rpc.serving())
        # Nothing is built any more: two slots later the head is where it was.
        self.wait_for(lambda s: s.slot >= full.slot + 2, "two slots to pass")
        stuck = net.rpc.status()
        self.wait_for(lambda s: s.slot >= stuck.slot + 2, "two more slots to pass")
        self.assertEqual(net.rpc.status().head, stuck.head)

        filler.stop()
        self.wait_for(lambda s: not s.storage_error, "the disk to be found usable")
        self.assertTrue(net.rpc.serving())
        self.wait_for_finality(above=stuck.head.slot)
        # And what it has kept is a chain.
        before = net.rpc.status()
        net.beacon.kill()
        net.start_beacon()
        self.assertGreaterEqual(net.rpc.status().finalized.slot + 1, before.finalized.slot)


if __name__ == "__main__":
    e2e.main()
