"""The data folder of a running beacon disappears. The beacon reports it and accepts nothing until the folder is back. A
beacon that starts with less data than before reports that, too."""

import shutil

import e2e
import torn_files


class DiskGoneTest(e2e.NetworkTest):
    def setUp(self):
        super().setUp()
        self.net = self.start_network(clients=1)
        self.before = self.wait_for_finality(above=2)
        self.data = self.net.data_dir()
        self.elsewhere = self.directory / "elsewhere"

    def expect_failed(self, why):
        failed = self.wait_for(lambda s: why in s.storage_error, f"the beacon to say that the folder {why}")
        self.assertFalse(self.net.rpc.serving())
        # No block is built: two slots later the head is unchanged.
        self.wait_for(lambda s: s.slot >= failed.slot + 2, "two slots to pass")
        stuck = self.net.rpc.status()
        self.wait_for(lambda s: s.slot >= stuck.slot + 2, "two more slots to pass")
        self.assertEqual(self.net.rpc.status().head, stuck.head)
        return stuck

    def test_moved_and_moved_back_then_removed(self):
        self.data.rename(self.elsewhere)
        stuck = self.expect_failed("is gone")
        self.elsewhere.rename(self.data)
        self.wait_for(lambda s: not s.storage_error, "the folder to be found again")
        self.assertTrue(self.net.rpc.serving())
        self.wait_for_finality(above=stuck.head.slot)

        # Removes the files one by one like `rm -rf`: the beacon still creates and renames files meanwhile.
        while self.data.exists():
            shutil.rmtree(self.data, ignore_errors=True)
        self.expect_failed("is gone")
        self.assertFalse(self.data.exists())
        self.assertEqual(self.net.beacon.stop(), 0, self.net.beacon.log_tail())

    def test_a_byte_in_the_middle_of_the_log(self):
        self.net.beacon.kill()
        self.assertIn("everything fits", self.db("verify"))
        log = torn_files.newest_log(self.data)
        with open(log, "r+b") as file:
            file.seek(log.stat().st_size // 2)
            byte = file.read(1)[0]
            file.seek(log.stat().st_size // 2)
            file.write(bytes([byte ^ 1]))
        verified = self.run_beacon("db", "verify", number=0)
        self.assertEqual(verified.returncode, 1)
        for said in (f"{log.name} cannot be read to its end", "is shorter than it was", "a beacon starts on this folder"):
            self.assertIn(said, verified.stdout)
        self.net.start_beacon()
        self.wait_for_log(0, "storage_lost message=", "chain_shorter message=")


if __name__ == "__main__":
    e2e.main()
