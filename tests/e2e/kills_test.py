"""Four beacons with validators and load. Beacons, with or without their network engines, and engines of other beacons
are killed at any moment, again and again, also while they start. Some logs are torn, and unfinished files are
added. Each beacon returns by itself, has lost nothing that it reported as finalized, and joins again.

LEAN_KILLS: number of beacons to kill (10). LEAN_SEED: repeats the choices of another run. LEAN_SLOT_MS: for a busy
machine.
"""

import collections
import os
import random
import secrets
import statistics
import time

import e2e
import torn_files
from leandev.processes import wait_until
from load import Load
from watch import Watch

KILLS = int(os.environ.get("LEAN_KILLS", "10"))
SEED = int(os.environ.get("LEAN_SEED", secrets.randbelow(1 << 32)))
BEACONS = 4
SLOT_MS = int(os.environ.get("LEAN_SLOT_MS", "800"))
# Probability that an engine is killed with its beacon, and in a round in which its beacon is not killed.
WITH_BEACON, ALONE = 0.5, 0.2
# Active slots of the keys, which limit the length of the run; a power of two.
ACTIVE_SLOTS = 1 << max(10, (8 * KILLS).bit_length())


class KillsTest(e2e.NetworkTest):
    def setUp(self):
        super().setUp()
        print(f"LEAN_KILLS={KILLS} LEAN_SEED={SEED}", flush=True)
        self.choose = random.Random(SEED)
        self.counts = collections.Counter()
        self.torn = {}  # by beacon: what was done to its log since it was last whole
        self.rejoined_s = []
        self.rejoined_engine_s = []
        self.rejoined_torn_s = []

    def test_killed_at_any_moment(self):
        net = self.start_network(
            clients=BEACONS, beacons=BEACONS, slot_ms=SLOT_MS, active_slots=ACTIVE_SLOTS, genesis_delay_s=6)
        # A short period, because everything that was reported as finalized must survive.
        self.watch = Watch(net, period_s=0.1)
        self.addCleanup(self.watch.stop)
        self.expect_finality(after=0)
        load = Load(net, SEED)
        self.addCleanup(load.stop)
        while self.counts["kills"] < KILLS:
            self.one_round()
        load.stop()
        self.expect_one_chain()
        print(f"{dict(self.counts)} calls={load.counts()}")
        for what, times in (("rejoined", self.rejoined_s), ("rejoined with a new engine", self.rejoined_engine_s),
                            ("rejoined with a torn log", self.rejoined_torn_s)):
            if times:
                print(f"{what}: {len(times)} median_s={statistics.median(times):.1f} most_s={max(times):.1f}")
        self.assertEqual(load.unexpected(), [])

    def one_round(self):
        """Kills some beacons, possibly more than once, and waits until all have recovered."""
        victims = self.choose_victims()
        tearable = self.choose.sample(victims, len(victims) // 2 + (len(victims) < BEACONS))
        engines = [
            number for number in range(BEACONS)
            if self.choose.random() < (WITH_BEACON if number in victims else ALONE)
        ]
        told = {number: self.watch.status(number).finalized for number in victims}
        lives = self.choose.choice((1, 1, 2, 3, 4))
        print(f"slot={self.watch.slot()} victims={victims} engines={engines} kills_of_each={lives}", flush=True)
        for life in range(lives):
            # The kill happens at a random moment of a slot or of a start.
            time.sleep(self.choose.uniform(0, SLOT_MS / 1000))
            self.counts["kills while starting"] += len(victims) * (life > 0)
            self.kill_engines(engines)
            self.kill(victims, told)
            for number in tearable:
                if self.choose.random() < 0.4:
                    self.tear(number, random.Random(self.choose.random()))
                if self.choose.random() < 0.4:
                    self.leave_unfinished(number, random.Random(self.choose.random()))
            for number in victims:
                self.network.launch_beacon(number)
            for number in engines:
                self.network.launch_engine(number)
        self.expect_rejoined(victims, engines, told)

    def choose_victims(self):
        count = self.choose.choices((1, 2, 3, 4), weights=(70, 12, 6, 12))[0]
        self.counts[f"{count} at once"] += 1
        return self.choose.sample(range(BEACONS), count)

    def kill_engines(self, numbers):
        for number in numbers:
            engine = self.network.engines[number]
            self.assertTrue(engine.running(), f"{engine.name} ended by itself:\n{engine.log}")
            engine.kill()
            self.counts["kills of engines"] += 1

    def kill(self, victims, told):
        for number in victims:
            beacon = self.network.beacons[number]
            self.assertTrue(beacon.running(), f"{beacon.name} ended by itself, with {beacon.exit_code()}")
            beacon.kill()
            self.counts["kills"] += 1
        for number in victims:
            status = self.watch.status(number)
            if status.finalized.slot > told[number].slot:
                told[number] = status.finalized

    def tear(self, number, choose):
        done = torn_files.tear_log(self.network.data_dir(number), choose)
        if done is not None:
            print(f"  log of beacon {number}: {done}", flush=True)
            self.torn[number] = done
            self.counts["torn logs"] += 1

    def leave_unfinished(self, number, choose):
        """Adds an unfinished file, which must not cause a loss."""
        name = torn_files.leave_unfinished(self.network.data_dir(number), choose)
        if name is not None:
            print(f"  unfinished in the folder of beacon {number}: {name}", flush=True)
            self.counts["unfinished files"] += 1

    def expect_rejoined(self, victims, engines, told):
        """They are back with what they reported as finalized, linked, synced, at the others' head; and finality
        continues."""
        began = time.monotonic()
        for number in engines:
            self.network.engines[number].wait()
        for number in victims:
            self.network.await_beacon(number)
            if number not in self.torn:
                status = self.network.rpcs[number].status()
                self.expect_in_chain(number, told[number], "after the start")
                self.counts["finalized checkpoint older"] += status.finalized.slot < told[number].slot
        for number in sorted({*victims, *engines}):
            self.await_rejoined(number)
            took = time.monotonic() - began
            times = self.rejoined_engine_s if number in engines else self.rejoined_s
            (self.rejoined_torn_s if self.torn.pop(number, None) else times).append(took)
        print(f"  joined again after {time.monotonic() - began:.1f} s", flush=True)
        newest = max(checkpoint.slot for checkpoint in told.values())
        self.expect_finality(after=newest)
        for number in victims:
            self.expect_in_chain(number, told[number], "after it joined again")
            self.assertTrue(self.network.rpcs[number].block(root=told[number].root).finalized)

    def expect_in_chain(self, number, told, when):
        block = self.network.rpcs[number].block(root=told.root)
        self.assertTrue(block.canonical, f"beacon {number} told slot {told.slot} as finalized; {when}: {block}")

    def await_rejoined(self, number):
        def joined():
            own = self.network.rpcs[number].try_status()
            if own is None:
                self.assertTrue(self.network.beacons[number].running(), self.network.beacons[number].log_tail())
                return False
            others = [rpc.try_status() for rpc in self.network.rpcs]
            best = max((other.head.slot for other in others if other is not None), default=0)
            return own.synced and own.peers == BEACONS - 1 and own.head.slot + 1 >= best

        log = self.torn.get(number, "whole")
        wait_until(joined, e2e.PATIENCE_S, f"beacon {number} to join again; its log was {log}")

    def expect_finality(self, after):
        def reached():
            return all(self.watch.finalized_slot(number) > after for number in range(BEACONS))

        wait_until(reached, e2e.PATIENCE_S, f"every beacon to finalize a slot above {after}")

    def expect_one_chain(self):
        """All have one head, no conflicting finalized blocks, no blamed peers, and consistent folders."""
        for process in self.network.clients:
            self.assertTrue(process.running(), process.log_tail())

        def same_head():
            statuses = [rpc.try_status() for rpc in self.network.rpcs]
            return None not in statuses and len({status.head.root for status in statuses}) == 1

        wait_until(same_head, e2e.PATIENCE_S, "all beacons to have one head")
        self.watch.stop()
        self.assertEqual(self.watch.conflicts(), [])
        self.assertEqual(self.watch.blames(), [])
        print(self.watch.report(), flush=True)
        self.network.stop()
        for number, beacon in enumerate(self.network.beacons):
            self.assertEqual(beacon.exit_code(), 0, beacon.log_tail())
            self.assertEqual(self.network.engines[number].process.exit_code(), 0, self.network.engines[number].log)
            self.assertIn("everything fits", self.db("verify", number=number))


if __name__ == "__main__":
    e2e.main()
