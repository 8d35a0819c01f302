"""A beacon starts from another beacon's finalized block, follows the chain from the next block on, and fetches the
older blocks. `lean-beacon db` inspects its folder."""

import shutil
import signal
import socket

import e2e
from leandev.processes import Process, wait_until


class CheckpointSyncTest(e2e.NetworkTest):
    def setUp(self):
        super().setUp()
        self.net = self.make_network(clients=1, beacons=2, slot_ms=600)
        self.net.start_node(0)
        self.net.start_client(0)
        self.finalized = self.wait_for_finality(above=9).finalized

    def test_from_a_beacon_and_from_a_file(self):
        self._start_second(self.net.places[0].rpc_address, self.finalized.root)
        self._check_it_follows()
        self._check_it_has_everything()
        self._check_restart()

        # Another, from a file.
        self.net.beacons[1].kill()
        exported = self.directory / "checkpoint"
        said = self.db("export", "--output", exported, number=1)
        root = said.split("--checkpoint-root ")[1].split()[0]
        self._check_folder()
        shutil.rmtree(self.net.data_dir(1))
        self._refused(exported, "0x" + "12" * 32, "--checkpoint-root is 0x1212")
        self._refused(exported, "", "--checkpoint needs --checkpoint-root")
        self._start_second(exported, root)
        self._check_it_follows()
        self._check_it_has_everything()

    def test_a_source_that_says_nothing_does_not_keep_it_from_ending(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            silent.settimeout(e2e.PATIENCE_S)
            port = silent.getsockname()[1]
            beacon = Process("waiting", [
                *(e2e.BUILD_DIR / "bin" / "lean-beacon", "run", "--genesis", self.net.genesis_dir),
                *("--rpc-address", "127.0.0.1:0", "--http-address", "off", "--checkpoint", f"127.0.0.1:{port}"),
                *("--checkpoint-root", self.finalized.root),
            ], self.directory / "waiting.log")
            self.addCleanup(beacon.stop)
            silent.accept()[0].close()
            beacon.signal(signal.SIGINT)
            # Less than the time for which it would wait for an answer.
            self.assertEqual(beacon.wait(50), 0)
            self.assertIn("stopped by SIGINT: the beacon was stopped before it had the checkpoint", beacon.log_tail())

    def _start_second(self, source, root):
        self.net.places[1].arguments = ("--checkpoint", source, "--checkpoint-root", root)
        if not self.net.engines[1].running():
            self.net.start_engine(1)
        self.net.start_beacon(1)

    def _check_it_follows(self):
        """From the first block after the checkpoint on."""
        first, second = self.net.rpcs
        started = second.status().finalized.slot
        self._wait_second(lambda s: s.finalized.slot > started + 2, "the second beacon to finalize")
        for slot in range(started + 1, started + 3):
            expected = e2e.block_at(first, slot)
            if expected is not None:
                self.assertEqual(e2e.block_at(second, slot).root, expected.root, f"slot {slot}")

    def _check_it_has_everything(self):
        first, second = self.net.rpcs
        self._wait_second(lambda s: s.oldest_block_slot == 1, "the older blocks")
        for slot in range(0, self.finalized.slot + 1):
            expected = e2e.block_at(first, slot)
            if expected is not None:
                block = e2e.block_at(second, slot)
                self.assertEqual(block, expected, f"slot {slot}")

    def _check_restart(self):
        before = self.net.rpcs[1].status()
        self.net.beacons[1].kill()
        self.net.start_beacon(1)
        after = self.net.rpcs[1].status()
        self.assertGreaterEqual(after.finalized.slot + 1, before.finalized.slot)
        self.assertEqual(after.oldest_block_slot, 1)
        self._check_it_follows()

    def _check_folder(self):
        """The output of `lean-beacon db` for the second beacon's folder, which no beacon uses."""
        self.assertIn("everything fits", self.db("verify", number=1))
        inspected = self.db("inspect", number=1)
        for word in ("finalized", "blocks held     from slot 1 on", "on disk"):
            self.assertIn(word, inspected)
        self.assertIn("dropped 0 orphans", self.db("prune", "--keep-slots", "3", number=1))
        self.assertIn("everything fits", self.db("verify", number=1))
        self.assertNotIn("from slot 1 on", self.db("inspect", number=1))
        used = self.run_beacon("db", "inspect", number=0)
        self.assertEqual(used.returncode, 1)
        self.assertIn(f"in use by process {self.net.beacons[0].pid}", used.stderr)

    def _refused(self, source, root, message):
        arguments = ["run", "--genesis", self.net.genesis_dir, "--rpc-address", "127.0.0.1:0", "--data",
                     self.directory / "refused", "--checkpoint", source]
        done = self.run_beacon(*arguments, *(["--checkpoint-root", root] if root else []))
        self.assertEqual(done.returncode, 1)
        self.assertIn(message, done.stderr)

    def _wait_second(self, condition, what):
        def met():
            status = self.net.rpcs[1].try_status()
            return status if status is not None and condition(status) else None

        try:
            return wait_until(met, e2e.PATIENCE_S, what)
        except TimeoutError as error:
            self.fail(f"{error}; the last answer was:\n{self.net.rpcs[1].try_status()}")


if __name__ == "__main__":
    e2e.main()
