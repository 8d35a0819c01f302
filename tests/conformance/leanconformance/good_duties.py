"""Votes and blocks that a beacon must accept, signed by a Signer with keys of its registry."""

import time

from leanconformance import ssz
from leanconformance.remote_signer import SignerFailed
from leanconformance.stubs import types, validator

# How long to look for a slot of ours, and for our votes in a block.
MAX_SLOTS = 12
TIMEOUT_S = 5


class GoodDuties:
    """Proposes once and votes in that slot, as a validator client does, and again with the same bytes."""

    def __init__(self, report, client, signer, spec):
        """`spec`: GetDuties' answer."""
        self._report = report
        self._client = client
        self._signer = signer
        self._keys = signer.keys()
        self._spec = spec
        self._slot_s = spec.slot_duration_ms / 1000

    def run(self):
        why = "no slot is proposed by a key of the signer"
        for slot in range(self._slot() + 1, self._slot() + 1 + max(MAX_SLOTS, self._spec.validator_count)):
            if self._proposer(slot) not in self._keys:
                continue
            self._wait_for(slot, 0)
            try:
                why = self._propose(slot)
                if why is None:
                    self._vote(slot)
                    return
            except SignerFailed as failed:
                why = str(failed)
        self._report.failed("accepts-block", why)

    def _propose(self, slot):
        """Why no block could be had of this slot; None when one was submitted."""
        proposer = self._proposer(slot)
        built, failure = self._client.build_block(slot, proposer, self._spec.genesis_block_root)
        if built is None:
            return f"BuildBlock: {failure}"
        result = self._signer.sign_block(self._keys[proposer], built.block, built.proposer_attestation, TIMEOUT_S)
        if not result.signature:
            return f"the signer refused: {result.reason} {result.message}"
        block = types.SignedBlock(
            block=built.block, proposer_attestation=built.proposer_attestation,
            signatures=[*built.attestation_signatures, result.signature])
        root = ssz.block_root(built.block)
        for status in (validator.ACCEPTED, validator.ALREADY_KNOWN):
            answer, failure = self._client.submit_block(block)
            self._report.check(
                "accepts-block", answer is not None and answer.result.status == status and answer.root == root,
                f"{answer or failure} where {validator.SubmitStatus.Name(status)} was due")
        vote, failure = self._client.build_vote(slot, self._spec.genesis_block_root)
        self._report.check("accepts-block", vote is not None and vote.data.head.root == root,
                           f"the block is not the head: {vote.data.head if vote else failure}")
        return None

    def _vote(self, slot):
        self._wait_for(slot, 0.25)
        built, failure = self._client.build_vote(slot, self._spec.genesis_block_root)
        if not self._report.check("accepts-votes", built is not None, f"BuildVote: {failure}"):
            return
        votes = [types.Attestation(validator_index=index, data=built.data)
                 for index in self._keys if index != self._proposer(slot)]
        if not votes:
            return
        results = self._signer.sign_votes(slot, [(self._keys[v.validator_index], v) for v in votes], TIMEOUT_S)
        if not self._report.check("accepts-votes", all(r.signature for r in results), f"the signer refused: {results}"):
            return
        signed = [types.SignedAttestation(attestation=vote, signature=result.signature)
                  for vote, result in zip(votes, results)]
        for _ in range(2):
            answer, failure = self._client.submit_votes(signed)
            self._report.check(
                "accepts-votes",
                answer is not None and [r.status for r in answer.results] == [validator.ACCEPTED] * len(signed),
                f"{answer or failure} where ACCEPTED was due")
        self._find_shown(slot, signed)
        self._find_in_a_block(slot, votes)

    def _find_shown(self, slot, signed):
        """GetLiveness shows what was just submitted to whoever does not know it."""
        indices = [vote.attestation.validator_index for vote in signed]
        for known in ([], [ssz.attestation_root(vote.attestation) for vote in signed]):
            answer, failure = self._client.get_liveness(indices, slot, known, show_votes=True)
            if not self._report.check("liveness-votes", answer is not None, f"GetLiveness: {failure}"):
                return
            shown = [v.vote for v in answer.validators if v.HasField("vote")]
            self._report.check("liveness-votes", shown == ([] if known else signed),
                               f"{len(shown)} of {len(signed)} votes are shown, {len(known)} roots are known")

    def _find_in_a_block(self, slot, votes):
        for later in range(slot + 1, slot + 1 + MAX_SLOTS):
            self._wait_for(later, 0)
            built, _ = self._client.build_block(later, self._proposer(later), self._spec.genesis_block_root)
            if built is not None and all(vote in built.block.attestations for vote in votes):
                self._report.passed("includes-votes")
                return
        self._report.failed("includes-votes", f"the votes of slot {slot} stand in no block up to slot {later}")

    def _slot(self):
        return int((time.time() - self._spec.genesis_time) // self._slot_s)

    def _proposer(self, slot):
        return slot % self._spec.validator_count

    def _wait_for(self, slot, part):
        """Until this part of the slot is over."""
        time.sleep(max(0, self._spec.genesis_time + (slot + part) * self._slot_s - time.time()))
