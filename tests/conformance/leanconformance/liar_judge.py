"""Runs a validator client with three fake beacons, one of which lies, step by step, and judges what it did."""

import time

from leanconformance import behaviours, ssz
from leanconformance.client_judge import END_S, client_of, start_beacons
from leanconformance.client_rules import THREE_BEACONS
from leanconformance.report import Report

BEACONS = 3
LIES = (behaviours.InventedHead, behaviours.AheadAndHanging, behaviours.InventedSource, behaviours.Losing,
        behaviours.Denying)


class LiarJudge:
    """One run of the script: each lie is told by each beacon in its turn, while the two others are honest."""

    def __init__(self, command, keys, options, say):
        """`command`: of the client, with {beacons} in the place of three HOST:PORT with commas between them, and
        {genesis_root} in that of the genesis block's root."""
        self.report = Report(THREE_BEACONS)
        self._keys = keys
        self._options = options
        self._say = say
        self._beacons = start_beacons(BEACONS, keys, options)
        self._client = client_of(command, "{beacons}", self._beacons, options)
        self._forgiven = None  # the slot that may be lost

    def run(self):
        try:
            self._client.start()
            if self._await_duties():
                for lie in LIES:
                    for liar in self._beacons:
                        self._step(lie(), liar)
            self.report.check("ends", self._client.terminate(), f"it still ran {END_S} s after SIGTERM")
        finally:
            self._client.close()
            for beacon in self._beacons:
                beacon.stop()
        self._judge_signed()
        return self.report

    def _await_duties(self):
        for slot in range(self._options.startup_slots + 1):
            self._wait_until(slot, 3)
            if self._done(slot, self._beacons) == set(self._keys):
                return True
        self.report.failed("duties-go-on", f"no full set of votes in {self._options.startup_slots} slots of honesty")
        return False

    def _step(self, lie, liar):
        """From interval 3 on, where duties of the next slot are prepared."""
        place = self._beacons.index(liar) + 1
        self._say(f"step: beacon {place} of {BEACONS} {lie.name}")
        first = liar.now()[0] + 1
        with liar.lock:
            liar.behaviour = lie
        honest = [beacon for beacon in self._beacons if beacon is not liar]
        for slot in range(first, first + lie.slots):
            self._wait_until(slot, 3)
            self._judge_slot(slot, honest, f"slot {slot}, beacon {place} {lie.name}")
        with liar.lock:
            liar.behaviour = behaviours.Honest()
        if lie.rule is not None:
            self.report.passed(lie.rule)

    def _judge_slot(self, slot, honest, who):
        missing = sorted(set(self._keys) - self._done(slot, honest))
        proposer = slot % honest[0].chain.validator_count
        with honest[0].lock:
            proposed = any(s.block is not None for beacon in honest for s in beacon.calls.submissions if s.slot == slot)
        done = not missing and (proposed or proposer not in self._keys)
        if not done and self._forgiven is None:
            self._forgiven = slot  # a busy machine may lose one
            return
        self.report.check("duties-go-on", done, f"{who}: no vote of {missing}" if missing else f"{who}: no block")

    def _done(self, slot, beacons):
        """The validators whose vote for the slot has come to one of these."""
        with beacons[0].lock:
            return {s.vote.validator_index for b in beacons for s in b.calls.submissions if s.slot == slot}

    def _judge_signed(self):
        poisoned = {root: lie for beacon in self._beacons for root, lie in beacon.calls.poisoned.items()}
        signed = {}
        for submission in (s for beacon in self._beacons for s in beacon.calls.submissions):
            root = ssz.attestation_root(submission.vote)
            signed.setdefault((submission.vote.validator_index, submission.slot), set()).add(root)
            if root in poisoned:
                self.report.failed(poisoned[root].rule, f"validator {submission.vote.validator_index}, slot "
                                   f"{submission.slot}: signed what one beacon alone said, that {poisoned[root].name}")
        for (validator, slot), roots in signed.items():
            self.report.check("one-root-a-leaf", len(roots) == 1,
                              f"validator {validator} signed {len(roots)} different votes of slot {slot}")

    def _wait_until(self, slot, interval):
        left = self._beacons[0].until(slot, interval)
        if left > 0:
            time.sleep(left)
