#!/usr/bin/python3
"""A small complete validator client: duties from any beacon (lean.v1.DutyService), signatures from any signer
(lean.v1.Signer). It holds no key and keeps no record; the signer does.

    tests/conformance/python/validator_client.py --beacon HOST:PORT --signer unix:PATH
"""

import argparse
import pathlib
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from leanconformance import ssz  # noqa: E402
from leanconformance.duty_client import DutyClient  # noqa: E402
from leanconformance.remote_signer import RemoteSigner, SignerFailed  # noqa: E402
from leanconformance.stubs import types, validator  # noqa: E402

INTERVALS = 4
ROOT_BYTES, SIGNATURE_BYTES = 32, 3116
MAX_VOTES_IN_BLOCK = 4095


class NotDone(Exception):
    """Why a duty was not done."""


def require(condition, why):
    if not condition:
        raise NotDone(why)


def check_vote_data(data, slot):
    """What a beacon's vote data must be like before it is signed."""
    require(data.slot == slot, f"the vote is for slot {data.slot}")
    checkpoints = (data.head, data.target, data.source)
    require(all(len(checkpoint.root) == ROOT_BYTES for checkpoint in checkpoints), "a root of a wrong length")
    require(data.source.slot <= data.target.slot <= data.head.slot <= slot, "checkpoints out of order")
    slots = {}
    for checkpoint in checkpoints:
        require(slots.setdefault(checkpoint.root, checkpoint.slot) == checkpoint.slot, "one block at two slots")


def check_block(built, slot, proposer):
    """The same for a block."""
    block, vote = built.block, built.proposer_attestation
    require((block.slot, block.proposer_index) == (slot, proposer), "a block of another slot or proposer")
    require(len(block.parent_root) == ROOT_BYTES and len(block.state_root) == ROOT_BYTES, "a root of a wrong length")
    require(len(block.attestations) <= MAX_VOTES_IN_BLOCK, "too many votes")
    require([len(s) for s in built.attestation_signatures] == [SIGNATURE_BYTES] * len(block.attestations),
            "not one signature for each vote")
    require(vote.validator_index == proposer, "the proposer's vote is by another validator")
    require((vote.data.head.root, vote.data.head.slot) == (ssz.block_root(block), slot),
            "the proposer's vote is for another block")
    check_vote_data(vote.data, slot)


class ValidatorClient:
    """One thread: propose at interval 0, vote at interval 1, look after the beacon at interval 3."""

    def __init__(self, beacon, remote_signer, stopped):
        self._beacon = beacon
        self._signer = remote_signer
        self._stopped = stopped  # Event
        self._keys = remote_signer.keys()
        self._network = None  # GetDuties' answer that is pinned
        self._ready = False
        self._proposed = -1  # the slot whose proposer's leaf was asked for

    def run(self):
        while not self._probe() and self._network is None:
            if self._stopped.wait(0.25):
                return
        self._slot_s = self._network.slot_duration_ms / 1000
        begun = self._now()
        while True:
            begun = max(begun + 1, self._now())  # intervals slept through are skipped
            if self._stopped.wait(max(0, self._time_of(begun) - time.time())):
                return
            slot, interval = divmod(begun, INTERVALS)
            if slot < 0:
                if interval == 3:
                    self._probe()
            elif interval == 0 and slot > 0:
                self._do("block", slot, self._propose)
            elif interval == 1:
                self._do("votes", slot, self._vote)
            elif interval == 3:
                self._probe()

    # Time, in intervals since genesis.

    def _now(self):
        return int((time.time() - self._network.genesis_time) // (self._slot_s / INTERVALS))

    def _time_of(self, interval):
        return self._network.genesis_time + interval * self._slot_s / INTERVALS

    def _left(self, slot, interval):
        """Seconds until an interval of a slot begins; a call with that deadline ends before it."""
        return max(0.001, self._time_of(slot * INTERVALS + interval) - time.time())

    def _is_now(self, slot):
        return self._now() // INTERVALS == slot

    # The beacon.

    def _probe(self):
        """Asks whether the beacon may be worked with."""
        timeout_s = self._network.slot_duration_ms / 1000 / INTERVALS if self._network else 2
        answer, failure = self._beacon.get_duties(list(self._keys.values()), 0, timeout_s)
        try:
            require(answer is not None, f"{failure}")
            self._judge(answer)
            self._ready = True
        except NotDone as why:
            print(f"beacon not usable reason=\"{why}\"", flush=True)
            self._ready = False
        return self._ready

    def _judge(self, answer):
        require(len(answer.duties) == len(self._keys), "not one duty for each key")
        for index, duty in zip(self._keys, answer.duties):
            require(duty.known and index in duty.indices, f"the registry has another key at index {index}")
        require(answer.validator_count > 0 and answer.slot_duration_ms > 0, "no validators or no slots")
        if self._network is None:
            self._network = answer
        for field in ("genesis_block_root", "genesis_time", "slot_duration_ms", "validator_count"):
            require(getattr(answer, field) == getattr(self._network, field), f"another {field} than before")
        self._check_clock(answer.time_ms)
        require(answer.synced, "it is syncing")

    def _check_clock(self, time_ms):
        slot_ms = self._network.slot_duration_ms
        apart = abs((time_ms - time.time() * 1000) / slot_ms)
        require(apart < 1, f"its clock is {apart:.1f} slots away")

    # Duties.

    def _do(self, what, slot, duty):
        try:
            done = duty(slot)
            if done:
                print(f"{what} slot={slot} {done}", flush=True)
        except (NotDone, SignerFailed) as why:
            print(f"{what} failed slot={slot} reason=\"{why}\"", flush=True)

    def _propose(self, slot):
        proposer = slot % self._network.validator_count
        if proposer not in self._keys:
            return None
        require(self._ready or self._probe(), "no beacon")
        built = self._answer(self._beacon.build_block(
            slot, proposer, self._network.genesis_block_root, self._left(slot, 1)))
        self._check_clock(built.time_ms)
        check_block(built, slot, proposer)
        require(self._is_now(slot), "the slot is over")
        self._proposed = slot
        result = self._signer.sign_block(
            self._keys[proposer], built.block, built.proposer_attestation, self._left(slot, 2))
        require(result.signature, f"the signer refused: {result.reason} {result.message}")
        block = types.SignedBlock(
            block=built.block, proposer_attestation=built.proposer_attestation,
            signatures=[*built.attestation_signatures, result.signature])
        answer = self._answer(self._beacon.submit_block(block, self._left(slot, 2)))
        return f"validator={proposer} result={validator.SubmitStatus.Name(answer.result.status)} {answer.result.reason}"

    def _vote(self, slot):
        require(self._ready or self._probe(), "no beacon")
        proposer = slot % self._network.validator_count if self._proposed == slot else None
        voters = [index for index in self._keys if index != proposer]
        if not voters:
            return None
        built = self._answer(self._beacon.build_vote(slot, self._network.genesis_block_root, self._left(slot, 2)))
        self._check_clock(built.time_ms)
        check_vote_data(built.data, slot)
        require(self._is_now(slot), "the slot is over")
        votes = [types.Attestation(validator_index=index, data=built.data) for index in voters]
        results = self._signer.sign_votes(
            slot, [(self._keys[vote.validator_index], vote) for vote in votes], self._left(slot, 3))
        signed = [types.SignedAttestation(attestation=vote, signature=result.signature)
                  for vote, result in zip(votes, results) if result.signature]
        refusals = {result.reason for result in results if not result.signature}
        require(signed, f"the signer refused all: {refusals}")
        answer = self._answer(self._beacon.submit_votes(signed, self._left(slot, 3)))
        taken = sum(result.status == validator.ACCEPTED for result in answer.results)
        return f"votes={len(votes)} signed={len(signed)} accepted={taken}"

    def _answer(self, answer_and_failure):
        """The answer of a call; a failure puts the beacon in doubt."""
        answer, failure = answer_and_failure
        if answer is None:
            self._ready = False
            raise NotDone(f"{failure.reason or failure.code} {failure.message}")
        return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beacon", required=True, help="HOST:PORT of a beacon")
    parser.add_argument("--signer", required=True, help="unix:PATH of a signer")
    options = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    ValidatorClient(DutyClient(options.beacon), RemoteSigner(options.signer), stopped).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
