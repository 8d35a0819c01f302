"""A beacon is killed and restarted: its chain continues, and its clients resume their duties by themselves."""

import random
import shutil
import time

import e2e

# Restarts of the beacon in the ordinary run; each takes a few seconds.
KILLS = 4


class BeaconRestartTest(e2e.NetworkTest):
    def test_killed_and_started_again(self):
        net = self.start_network()
        before = self.wait_for_finality(above=2)

        net.beacon.kill()
        net.start_beacon()
        restarted = net.rpc.status()
        self.assertGreaterEqual(restarted.finalized.slot, before.finalized.slot)
        self.assertEqual(e2e.block_at(net.rpc, before.finalized.slot).root, before.finalized.root)
        self.wait_for(lambda s: s.head.slot > restarted.slot, "a block after the restart")
        self.wait_for_missing([])
        self.wait_for_finality(above=restarted.finalized.slot + 1)
        for process in net.clients:
            self.assertTrue(process.running(), f"{process.name} has ended:\n{process.log_tail()}")
        self._check_folder(net)
        # One chain from genesis on, through the restart.
        for slot in range(1, before.finalized.slot + 1):
            block = e2e.block_at(net.rpc, slot)
            if block is not None:
                self.assertTrue(block.canonical and block.finalized, f"the block of slot {slot}")

    def _check_folder(self, net):
        """The beacon has one chain, from genesis through all restarts."""
        second = self._second(net.genesis_dir)
        self.assertEqual(second.returncode, 1)
        self.assertIn(f"in use by process {net.beacon.pid}", second.stderr)
        other = self.directory / "other-genesis"
        shutil.copytree(net.genesis_dir, other)
        config = (other / "config.yaml").read_text(encoding="utf-8")
        started = next(line for line in config.splitlines() if line.startswith("GENESIS_TIME"))
        later = f"GENESIS_TIME: {int(started.split(':')[1]) + 60}"
        (other / "config.yaml").write_text(config.replace(started, later), encoding="utf-8")
        net.beacon.kill()
        wrong = self._second(other)
        net.start_beacon()
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("holds the chain of network", wrong.stderr)

    def test_killed_at_random_moments(self):
        net = self.start_network()
        finalized = self.wait_for_finality().finalized
        choose = random.Random(7)
        for _ in range(KILLS):
            time.sleep(choose.uniform(0.1, 1.5))  # a moment of a slot, not a condition
            status = net.rpc.try_status()
            finalized = status.finalized if status else finalized
            net.beacon.kill()
            net.start_beacon()
            after = net.rpc.status()
            self.assertEqual(e2e.block_at(net.rpc, finalized.slot).root, finalized.root)
            self.assertGreaterEqual(after.finalized.slot + 1, finalized.slot)
        self.wait_for_finality(above=finalized.slot)

    def _second(self, genesis_dir):
        """Starts a second beacon on the network's data folder. It must end at once."""
        return self.run_beacon("run", "--genesis", genesis_dir, "--rpc-address", "127.0.0.1:0", number=0)


if __name__ == "__main__":
    e2e.main()
