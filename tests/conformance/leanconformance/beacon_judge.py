"""A fake validator client that asks a beacon everything a client may ask, right and wrong, and judges its answers.

It needs no key: what it submits is refused by right. The beacon's chain must have begun, and nothing but the beacon's own
clients should be submitting to it.
"""

import os
import time

import grpc

from leanconformance import ssz
from leanconformance.beacon_rules import RULES
from leanconformance.duty_client import DutyClient
from leanconformance.good_duties import GoodDuties
from leanconformance.report import Report
from leanconformance.stubs import types, validator

CODES = {
    "MALFORMED_REQUEST": grpc.StatusCode.INVALID_ARGUMENT,
    "WRONG_GENESIS": grpc.StatusCode.FAILED_PRECONDITION,
    "WRONG_SLOT": grpc.StatusCode.FAILED_PRECONDITION,
    "NOT_PROPOSER": grpc.StatusCode.PERMISSION_DENIED,
    "BLOCK_NOT_KEPT": grpc.StatusCode.NOT_FOUND,
}
PUBKEY_BYTES, SIGNATURE_BYTES = 52, 3116
UNKNOWN_KEY = bytes(PUBKEY_BYTES)
START_TIMEOUT_S = 60


class BeaconJudge:
    """One run over all rules."""

    def __init__(self, address, keys, signer=None):
        """`keys`: {index: public key} known to be in the registry; may be empty. `signer`: a RemoteSigner with keys that
        nobody else uses, or None."""
        self.report = Report(RULES)
        self._client = DutyClient(address)
        self._keys = keys
        self._signer = signer
        self._spec = None  # GetDuties' answer

    def run(self):
        try:
            if self._begin():
                for part in (self._duties, self._liveness, self._builds, self._build_refusals, self._malformed_submissions,
                             self._refused_votes, self._refused_blocks):
                    part()
                if self._signer is not None:
                    GoodDuties(self.report, self._client, self._signer, self._spec).run()
                answer, failure = self._client.get_duties([], 0)
                self.report.check("serves-on", answer is not None, f"GetDuties: {failure}")
        finally:
            self._client.close()
        return self.report

    def _begin(self):
        """Waits for genesis and its first slots, so that there is something to build on."""
        answer, failure = self._client.get_duties([], 0)
        if answer is None:
            self.report.failed("duties", f"GetDuties: {failure}")
            return False
        self._spec = answer
        self._slot_s = answer.slot_duration_ms / 1000
        wait_s = answer.genesis_time + 2 * self._slot_s - time.time()
        if wait_s > START_TIMEOUT_S:
            self.report.failed("duties", f"genesis is in {wait_s:.0f} s: run this once the chain has begun")
            return False
        time.sleep(max(0, wait_s))
        return True

    # The clock: a call is about the current slot only if it ends within it.

    def _slot(self):
        return int((time.time() - self._spec.genesis_time) // self._slot_s)

    def _in_one_slot(self, ask, attempts=8):
        """ask(slot) within the first three quarters of a slot: its result, and the slot; again when it took too long."""
        for _ in range(attempts):
            slot = self._slot()
            if time.time() > self._spec.genesis_time + (slot + 0.4) * self._slot_s:
                time.sleep(max(0, self._spec.genesis_time + (slot + 1.02) * self._slot_s - time.time()))
                slot = self._slot()
            result = ask(slot)
            if self._slot() == slot:
                return result, slot
        raise TimeoutError("the beacon does not answer within one slot")

    # Questions.

    def _duties(self):
        indices = sorted(self._keys)
        pubkeys = [UNKNOWN_KEY, *(self._keys[i] for i in indices)]
        answer, failure = self._client.get_duties(pubkeys, 12345)
        if not self.report.check("duties", answer is not None, f"GetDuties: {failure}"):
            return
        check = lambda condition, why: self.report.check("duties", condition, why)
        check(len(answer.duties) == len(pubkeys), f"{len(answer.duties)} duties for {len(pubkeys)} keys")
        check(not answer.duties[0].known and not answer.duties[0].indices, "a key of zeros is known")
        for index, duty in zip(indices, answer.duties[1:]):
            check(duty.known and index in duty.indices, f"the key of validator {index}: {duty}")
        check(answer.validator_count > 0, "no validators")
        check(answer.proposer_index == 12345 % max(answer.validator_count, 1), f"proposer {answer.proposer_index}")
        for field in ("genesis_block_root", "genesis_state_root"):
            check(len(getattr(answer, field)) == 32, f"{field}: {len(getattr(answer, field))} bytes")
        by_clock = (answer.time_ms - answer.genesis_time * 1000) // answer.slot_duration_ms
        check(answer.current_slot == by_clock, f"current_slot {answer.current_slot}, by time_ms it is {by_clock}")
        check(abs(answer.time_ms / 1000 - time.time()) < 5, "the beacon's clock is seconds away from this machine's")
        check(answer.signature_form == "flat", f"signature_form {answer.signature_form}")
        for keys in ([b"short"], [UNKNOWN_KEY] * 4097):
            self._expect_error("duties-malformed", "MALFORMED_REQUEST", *self._client.get_duties(keys, 0))

    def _liveness(self):
        check = lambda condition, why: self.report.check("liveness", condition, why)
        indices = sorted(self._keys) or [0]
        far = self._slot() + 1000
        answer, failure = self._client.get_liveness(indices[::-1], far)
        if check(answer is not None, f"GetLiveness: {failure}"):
            check(len(answer.validators) == len(indices), f"{len(answer.validators)} answers for {len(indices)} indices")
            check(not any(v.live for v in answer.validators), "live in a slot of the future")
        answer, failure = self._client.get_liveness(indices, 0)
        if check(answer is not None, f"GetLiveness: {failure}"):
            check(not any(v.HasField("vote") for v in answer.validators), "votes are shown unasked")
        for wrong in (([self._spec.validator_count], []), ([0] * 4097, []), ([0], [bytes(31)]), ([0], [bytes(32)] * 16385)):
            self._expect_error("liveness", "MALFORMED_REQUEST", *self._client.get_liveness(wrong[0], 0, wrong[1]))

    def _builds(self):
        genesis = self._spec.genesis_block_root
        (vote, failure), slot = self._in_one_slot(lambda slot: self._client.build_vote(slot, genesis))
        if self.report.check("vote", vote is not None, f"BuildVote: {failure}"):
            self._judge_vote_data("vote", vote.data, slot)
        # Where clients are at work the head's slot is taken soon: between interval 0 and their block.
        block, slot = self._built_block()
        if block is not None:
            self._judge_block(block, slot)
            self._judge_header()
        self._judge_no_trace(genesis)

    def _judge_header(self):
        answer, slot = self._built_block(header_only=True)
        if answer is None:
            return
        if answer.kept:
            self._judge_kept()
        check = lambda condition, why: self.report.check("block-header", condition, f"slot {slot}: {why}")
        if answer.HasField("block"):
            check(not answer.HasField("header"), "both a block and a header")
            return
        vote, header = answer.proposer_attestation, answer.header
        check(answer.kept, "a header of a block that is not kept")
        check((header.slot, header.proposer_index) == (slot, self._proposer(slot)),
              f"slot {header.slot}, proposer {header.proposer_index}")
        check((vote.data.head.root, vote.data.head.slot) == (ssz.header_root(header), slot),
              "the proposer's vote does not have the header's own root as its head")

    def _judge_kept(self):
        root, signature = bytes([0xAB]) * 32, bytes(SIGNATURE_BYTES)
        ask = lambda kept, **more: self._client.call("SubmitBlock", validator.SubmitBlockRequest(kept=kept, **more))
        self._expect_error("kept-block", "BLOCK_NOT_KEPT", *ask(validator.KeptBlock(block_root=root, signature=signature)))
        for kept in (validator.KeptBlock(block_root=root[1:], signature=signature),
                     validator.KeptBlock(block_root=root, signature=signature[1:])):
            self._expect_error("kept-block", "MALFORMED_REQUEST", *ask(kept))
        self._expect_error(
            "kept-block", "MALFORMED_REQUEST",
            *ask(validator.KeptBlock(block_root=root, signature=signature), block=types.SignedBlock()))

    def _built_block(self, attempts=20, header_only=False):
        """BuildBlock's answer at the very beginning of a slot, and the slot. (None, 0) when each was taken."""
        genesis, failure = self._spec.genesis_block_root, None
        for _ in range(attempts):
            slot = self._slot() + 1
            time.sleep(max(0, self._spec.genesis_time + slot * self._slot_s - time.time()))
            answer, failure = self._client.build_block(slot, self._proposer(slot), genesis, header_only=header_only)
            if answer is not None:
                return answer, slot
            if failure.reason not in ("SLOT_TAKEN", "WRONG_SLOT"):
                break
        self.report.failed("block", f"BuildBlock: {failure}")
        return None, 0

    def _judge_block(self, answer, slot):
        check = lambda condition, why: self.report.check("block", condition, f"slot {slot}: {why}")
        block, vote = answer.block, answer.proposer_attestation
        check((block.slot, block.proposer_index) == (slot, self._proposer(slot)),
              f"slot {block.slot}, proposer {block.proposer_index}")
        check(len(block.parent_root) == 32 and len(block.state_root) == 32, "roots of a wrong length")
        check(len(block.attestations) <= 4095, f"{len(block.attestations)} votes")
        check([len(s) for s in answer.attestation_signatures] == [SIGNATURE_BYTES] * len(block.attestations),
              f"{len(answer.attestation_signatures)} signatures for {len(block.attestations)} votes")
        check(vote.validator_index == block.proposer_index, f"the proposer's vote is by {vote.validator_index}")
        check((vote.data.head.root, vote.data.head.slot) == (ssz.block_root(block), slot),
              "the proposer's vote does not have the block's own root as its head")
        self._judge_vote_data("block", vote.data, slot)

    def _judge_vote_data(self, rule, data, slot):
        check = lambda condition, why: self.report.check(rule, condition, f"slot {slot}: {why}")
        check(data.slot == slot, f"a vote of slot {data.slot}")
        check(all(len(c.root) == 32 for c in (data.head, data.target, data.source)), "roots of a wrong length")
        check(data.source.slot <= data.target.slot <= data.head.slot <= slot,
              f"source {data.source.slot}, target {data.target.slot}, head {data.head.slot}")

    def _judge_no_trace(self, genesis):
        """A vote, a block, the vote again: the same, unless a block of somebody came in between, whose slot is then the
        head's."""
        def ask(slot):
            first, _ = self._client.build_vote(slot, genesis)
            block, _ = self._client.build_block(slot, self._proposer(slot), genesis)
            second, _ = self._client.build_vote(slot, genesis)
            return first, block, second

        for _ in range(8):
            (first, block, second), slot = self._in_one_slot(ask)
            if first is None or second is None:
                continue
            ours = block is not None and second.data.head.root == ssz.block_root(block.block)
            if ours:
                # A client of the beacon may have built the same block and submitted it; then it is no news to anybody.
                continue
            if first.data == second.data:
                self.report.passed("building-changes-nothing")
                return
        self.report.failed("building-changes-nothing", "the head moved at each build, eight slots long")

    def _build_refusals(self):
        genesis = self._spec.genesis_block_root
        other = bytes([0xAB]) * 32
        slot = self._slot()
        for root in (b"", genesis[:31], genesis + b"\0"):
            for answer in (self._client.build_vote(slot + 50, root), self._client.build_block(slot + 50, 0, root)):
                self._expect_error("malformed-root", "MALFORMED_REQUEST", *answer)
        for answer in (self._client.build_vote(slot + 50, other), self._client.build_block(slot + 50, 0, other)):
            self._expect_error("wrong-genesis", "WRONG_GENESIS", *answer)
        for wrong in (slot + 3, slot + 1000, 2**63, max(slot - 2, 0)):
            for answer in (self._client.build_vote(wrong, genesis), self._client.build_block(wrong, 0, genesis)):
                failure = self._expect_error("wrong-slot", "WRONG_SLOT", *answer)
                if failure is not None:
                    told = failure.metadata.get("requested") == str(wrong) and "current" in failure.metadata
                    self.report.check("wrong-slot", told, f"metadata {failure.metadata}")
        answer, _ = self._in_one_slot(lambda slot: self._client.build_block(slot, self._proposer(slot) + 1, genesis))
        self._expect_error("not-proposer", "NOT_PROPOSER", *answer)

    # Submissions, all to be refused.

    def _malformed_submissions(self):
        good = self._vote(0, self._slot())
        for name, request in (
                ("SubmitVote", validator.SubmitVoteRequest()), ("SubmitBlock", validator.SubmitBlockRequest()),
                ("SubmitVote", validator.SubmitVoteRequest(vote=self._spoilt(good, signature=b"short"))),
                ("SubmitBlock", validator.SubmitBlockRequest(block=types.SignedBlock(
                    block=types.Block(slot=1), signatures=[bytes(SIGNATURE_BYTES)])))):
            self._expect_error("submit-malformed", "MALFORMED_REQUEST", *self._client.call(name, request))
        for votes in ([], [types.SignedAttestation()] * 4097):
            self._expect_error("submit-batch", "MALFORMED_REQUEST", *self._client.submit_votes(votes))

    def _refused_votes(self):
        def ask(slot):
            return self._client.submit_votes([
                types.SignedAttestation(),
                self._vote(self._spec.validator_count + 5, slot),
                self._vote(0, slot),
                self._spoilt(self._vote(0, slot), signature=bytes(5)),
                self._vote(0, slot + 100),
            ])

        (answer, failure), _ = self._in_one_slot(ask)
        if not self.report.check("submit-batch", answer is not None and len(answer.results) == 5, f"a batch of 5: {failure}"):
            return
        for result, rule, reason in zip(
                answer.results, ("submit-malformed", "unknown-validator", "bad-signature", "submit-malformed", "far-future"),
                ("MALFORMED", "UNKNOWN_VALIDATOR", "BAD_SIGNATURE", "MALFORMED", "FUTURE_SLOT")):
            self._expect_refusal(rule, reason, result)

    def _refused_blocks(self):
        answer, slot = self._built_block()
        if answer is None:
            return

        def signed(change=lambda block: None, spoil=lambda block: None):
            """A block that nobody else has, changed; tied to its proposer's vote, and then spoilt."""
            block = types.SignedBlock(
                block=answer.block, proposer_attestation=answer.proposer_attestation,
                signatures=[*answer.attestation_signatures, bytes(SIGNATURE_BYTES)])
            block.block.state_root = os.urandom(32)
            change(block)
            head = block.proposer_attestation.data.head
            head.root, head.slot = ssz.block_root(block.block), block.block.slot
            spoil(block)
            return block

        def another_proposer(block):
            block.block.proposer_index = block.proposer_attestation.validator_index = self._proposer(slot + 1)

        def ahead(block):
            block.block.slot = block.proposer_attestation.data.slot = slot + 1000
            block.block.proposer_index = block.proposer_attestation.validator_index = self._proposer(slot + 1000)

        cases = [("bad-signature", "BAD_SIGNATURE", signed()), ("far-future", "FUTURE_SLOT", signed(ahead))]
        if self._spec.validator_count > 1:
            cases.append(("wrong-proposer", "WRONG_PROPOSER", signed(another_proposer)))
        for spoil in (lambda b: setattr(b.proposer_attestation, "validator_index", b.block.proposer_index + 1),
                      lambda b: setattr(b.proposer_attestation.data, "slot", slot - 1),
                      lambda b: setattr(b.proposer_attestation.data.head, "root", bytes([9]) * 32)):
            cases.append(("proposer-vote", "PROPOSER_VOTE_MISMATCH", signed(spoil=spoil)))
        refused = set()
        for rule, reason, block in cases:
            result, failure = self._client.submit_block(block)
            if self.report.check(rule, result is not None, f"SubmitBlock: {failure}"):
                self._expect_refusal(rule, reason, result.result)
                refused.add(ssz.block_root(block.block))
        (vote, failure), _ = self._in_one_slot(lambda s: self._client.build_vote(s, self._spec.genesis_block_root))
        self.report.check("refusals-change-nothing", vote is not None and vote.data.head.root not in refused,
                          f"the head is a block that was refused, or: {failure}")

    # What they share.

    def _proposer(self, slot):
        return slot % self._spec.validator_count

    def _vote(self, index, slot):
        """Well formed, with a signature of nobody."""
        genesis = types.Checkpoint(root=self._spec.genesis_block_root, slot=0)
        data = types.AttestationData(slot=slot, head=genesis, target=genesis, source=genesis)
        return types.SignedAttestation(
            attestation=types.Attestation(validator_index=index, data=data), signature=bytes(SIGNATURE_BYTES))

    @staticmethod
    def _spoilt(vote, signature):
        return types.SignedAttestation(attestation=vote.attestation, signature=signature)

    def _expect_error(self, rule, reason, answer, failure):
        """Judges an error; returns it when it has the reason."""
        if not self.report.check(rule, answer is None, f"answered where {reason} was due: {str(answer)[:80]}"):
            return None
        self.report.check("errors", failure.domain == "lean.v1" and failure.reason, f"no ErrorInfo in {failure}")
        if self.report.check(rule, failure.reason == reason, f"{failure} where {reason} was due"):
            self.report.check("errors", failure.code == CODES[reason], f"{reason} came as {failure.code}")
            return failure
        return None

    def _expect_refusal(self, rule, reason, result):
        self.report.check(rule, (result.status, result.reason) == (validator.REFUSED, reason),
                          f"{validator.SubmitStatus.Name(result.status)} {result.reason} ({result.message}) where "
                          f"{reason} was due")
