"""A beacon drops old blocks while it runs, continues with the rest after a restart, and reports its oldest block.
Another one that starts from a checkpoint fetches only what it would keep."""

import re
import subprocess

import e2e
import grpc
from leandev.processes import wait_until

KEPT = 8
# Blocks are dropped when this many have accumulated, down to a snapshot of the state, of which there is one in
# 32 slots (docs/storage.md).
STEP = 32
SNAPSHOT_SLOTS = 32
# Slots from a block to the one that finalizes it.
FINALITY_SLOTS = 8


class KeepSlotsTest(e2e.NetworkTest):
    def test_old_blocks_go_and_the_chain_goes_on(self):
        net = self.make_network(clients=1, beacons=2, slot_ms=400)
        for place in net.places:
            place.arguments = ("--keep-slots", KEPT)
        net.start_node(0)
        net.start_client(0)
        dropped = wait_until(lambda: self._dropped(0), e2e.PATIENCE_S, "blocks to be dropped")
        status = net.rpc.status()
        self.assertLessEqual(dropped, status.finalized.slot - KEPT)
        self.assertGreater(dropped, status.finalized.slot - KEPT - STEP - SNAPSHOT_SLOTS - FINALITY_SLOTS)
        had = [slot for slot in range(1, dropped) if e2e.block_at(net.rpc, slot) is not None]  # in memory
        self.assertTrue(had)
        net.beacon.kill()
        self._check_folder(dropped)

        net.start_beacon(0)
        self.assertEqual(net.rpc.status().oldest_block_slot, dropped)
        for slot in (had[0], had[-1]):
            with self.assertRaises(grpc.RpcError) as caught:
                net.rpc.block(slot=slot)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)
            self.assertIn(f"is not held: blocks are held from slot {dropped} on", caught.exception.details())
        self.assertTrue(net.rpc.block(slot=dropped).finalized)
        final = self.wait_for(lambda s: s.finalized.slot > status.finalized.slot + KEPT, "finality to go on").finalized

        net.places[1].arguments += ("--checkpoint", net.places[0].rpc_address, "--checkpoint-root", final.root)
        net.start_node(1)
        wait_until(lambda: self._dropped(1), e2e.PATIENCE_S, "the second beacon to drop blocks")
        wait_until(lambda: "backfill_done" in self._log(1), e2e.PATIENCE_S, "the second beacon to want no more blocks")
        self.assertGreater(net.rpcs[1].status().finalized.slot, final.slot)

    def test_it_needs_a_folder(self):
        done = subprocess.run(
            [e2e.BUILD_DIR / "bin" / "lean-beacon", "run", "--genesis", self.directory, "--keep-slots", "8"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--data", done.stdout + done.stderr)

    def _log(self, number):
        return self.network.beacons[number].log_path.read_text(encoding="utf-8")

    def _dropped(self, number):
        """The first slot on a beacon's disk, if it has dropped any."""
        below = re.findall(r" blocks_dropped below=(\d+) ", self._log(number))
        return int(below[-1]) if below else None

    def _check_folder(self, dropped):
        self.assertIn("everything fits", self._db("verify"))
        self.assertIn(f"blocks held     from slot {dropped} on", self._db("inspect"))
        blocks = self.directory / "blocks"
        said = self._db("export", "--blocks", f"{dropped - 1}..{dropped}", "--output", blocks, code=1)
        self.assertIn(f"finalized blocks are held of slots {dropped}..", said)
        self.assertFalse(blocks.exists())
        self.assertIn("blocks of slots", self._db("export", "--blocks", f"{dropped}..{dropped + 3}", "--output", blocks))
        self.assertTrue(blocks.read_bytes().startswith(b"LEANBLK1"))

    def _db(self, command, *arguments, code=0):
        done = subprocess.run(
            [e2e.BUILD_DIR / "bin" / "lean-beacon", "db", command, "--data", self.network.data_dir(0), *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr


if __name__ == "__main__":
    e2e.main()
