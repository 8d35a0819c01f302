"""A DutyService whose answers a script decides, and which notes all that a validator client submits. Of BeaconService it
serves the registry."""

import concurrent.futures
import dataclasses
import threading
import time

import grpc
from google.protobuf import any_pb2

from leanconformance import ssz
from leanconformance.behaviours import Honest
from leanconformance.stubs import beacon, beacon_grpc, error_details, rpc_status, types, validator, validator_grpc

INTERVALS = 4
PUBKEY_BYTES = 52
MAX_MESSAGE_BYTES = 16 << 20


@dataclasses.dataclass
class Submission:
    """A signed vote that arrived: in a block or by itself."""

    time: float  # of arrival, Unix seconds
    vote: object  # Attestation
    signature: bytes
    block: object = None  # SignedBlock, when it came in one
    step: str = ""  # of the script, at arrival

    @property
    def slot(self):
        return self.vote.data.slot


class Calls:
    """What is noted of calls; guarded by the beacon's lock."""

    def __init__(self):
        self.submissions = []
        self.built_blocks = {}  # slot: every BuildBlockResponse sent
        self.poisoned = {}  # signing root of an item that must not be signed: its behaviour
        self.votes_built = {}  # slot: data, as bytes, of every BuildVote answer


def registry_of(keys):
    """Public keys by index, all of them, of {index: public key}. Validators that nobody has a key of have zeros."""
    return [keys.get(index, bytes(PUBKEY_BYTES)) for index in range(max(keys) + 1)]


class FakeBeacon(validator_grpc.DutyServiceServicer, beacon_grpc.BeaconServiceServicer):
    """Thread-safe. Serves on one loopback port from start() to stop(), again and again."""

    def __init__(self, chain, keys, genesis_time, slot_s, xmss_log_lifetime):
        """`keys`: {index: public key}, the registry as far as anybody asks."""
        self.chain = chain
        self.genesis_time = genesis_time
        self.slot_s = slot_s
        self.lock = threading.Lock()
        self.calls = Calls()
        self.behaviour = Honest()
        self.registry = registry_of(keys)
        self._indices = {}
        for index, pubkey in sorted(keys.items()):
            self._indices.setdefault(pubkey, []).append(index)
        self._xmss_log_lifetime = xmss_log_lifetime
        self._server = None
        self._port = 0

    @property
    def address(self):
        return f"127.0.0.1:{self._port}"

    def start(self):
        self._server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(32),
            options=[("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.so_reuseport", 0)])
        validator_grpc.add_DutyServiceServicer_to_server(self, self._server)
        beacon_grpc.add_BeaconServiceServicer_to_server(self, self._server)
        self._port = self._server.add_insecure_port(f"127.0.0.1:{self._port}")
        self._server.start()

    def stop(self):
        self._server.stop(0).wait()

    # The clock.

    def now(self):
        """(slot, seconds into it); negative slots before genesis."""
        since = time.time() - self.genesis_time
        slot = int(since // self.slot_s)
        return slot, since - slot * self.slot_s

    def until(self, slot, interval=0):
        """Seconds until an interval begins; negative once it has."""
        return self.genesis_time + (slot + interval / INTERVALS) * self.slot_s - time.time()

    # BeaconService.

    def GetValidators(self, request, context):
        self._enter("GetValidators", context)
        last = request.start + (request.limit or 256)
        return beacon.GetValidatorsResponse(total=len(self.registry), validators=[
            beacon.ValidatorView(index=index, pubkey="0x" + pubkey.hex())
            for index, pubkey in enumerate(self.registry) if request.start <= index < last])

    # DutyService.

    def GetDuties(self, request, context):
        behaviour = self._enter("GetDuties", context)
        answer = validator.GetDutiesResponse(
            proposer_index=request.slot % self.chain.validator_count, validator_count=self.chain.validator_count,
            genesis_block_root=self.chain.genesis_root, genesis_state_root=bytes([1]) * 32,
            genesis_time=self.genesis_time, slot_duration_ms=round(self.slot_s * 1000),
            xmss_log_lifetime=self._xmss_log_lifetime, signature_form="flat", time_ms=self._time_ms(),
            current_slot=self.now()[0], head_slot=self.chain.head[1], synced=True)
        for pubkey in request.pubkeys:
            indices = self._indices.get(pubkey, ())
            answer.duties.add(known=bool(indices), indices=indices)
        behaviour.on_duties(answer)
        return answer

    def BuildBlock(self, request, context):
        behaviour = self._enter("BuildBlock", context)
        self._check_buildable(request, context)
        if request.proposer_index != request.slot % self.chain.validator_count:
            self._fail(context, grpc.StatusCode.PERMISSION_DENIED, "NOT_PROPOSER", "not this slot's proposer")
        with self.lock:
            if self.chain.head[1] == request.slot:
                taken = True
            else:
                taken = False
                block, signatures, vote = self.chain.block(request.slot)
                answer = validator.BuildBlockResponse(
                    block=block, proposer_attestation=vote, attestation_signatures=signatures, time_ms=self._time_ms())
                behaviour.on_block(answer, request.slot, self.chain)
                self.calls.built_blocks.setdefault(request.slot, []).append(answer)
                if behaviour.poison and behaviour.rule != "vote-checked":
                    self._poison(answer.proposer_attestation, behaviour)
        if taken:
            self._fail(context, grpc.StatusCode.FAILED_PRECONDITION, "SLOT_TAKEN", "the head is of this slot")
        self._delay(behaviour, request.slot, context)
        return answer

    def BuildVote(self, request, context):
        behaviour = self._enter("BuildVote", context)
        self._check_buildable(request, context)
        with self.lock:
            honest = self.chain.vote_data(request.slot)
            answer = validator.BuildVoteResponse(data=honest, time_ms=self._time_ms())
            behaviour.on_vote(answer, request.slot)
            self.calls.votes_built.setdefault(request.slot, []).append(answer.data.SerializeToString())
            if behaviour.poison and behaviour.rule != "block-checked":
                for index in range(self.chain.validator_count):
                    self._poison(types.Attestation(validator_index=index, data=answer.data), behaviour)
        self._delay(behaviour, request.slot, context)
        return answer

    def SubmitBlock(self, request, context):
        arrived = time.time()
        block = request.block
        with self.lock:
            behaviour = self.behaviour
            self.calls.submissions.append(Submission(
                arrived, block.proposer_attestation, block.signatures[-1] if block.signatures else b"", block,
                behaviour.name))
        self._enter("SubmitBlock", context)
        with self.lock:
            if not behaviour.refuse and not behaviour.lose:
                self.chain.import_block(block.block)
        return validator.SubmitBlockResponse(result=self._result(behaviour), root=ssz.block_root(block.block))

    def SubmitVote(self, request, context):
        return validator.SubmitVoteResponse(result=self._take_votes([request.vote], "SubmitVote", context)[0])

    def SubmitVotes(self, request, context):
        return validator.SubmitVotesResponse(results=self._take_votes(request.votes, "SubmitVotes", context))

    def GetLiveness(self, request, context):
        """By what was submitted here: nobody else has the client's keys."""
        behaviour = self._enter("GetLiveness", context)
        with self.lock:
            submissions = list(self.calls.submissions)
        answer = validator.GetLivenessResponse()
        for index in request.indices:
            own = [s for s in submissions if s.vote.validator_index == index]
            latest = max((s.slot for s in own), default=0)
            answer.validators.add(live=bool(own) and latest >= request.from_slot, latest_vote_slot=latest)
            unknown = [s for s in own if s.slot >= request.from_slot
                       and ssz.attestation_root(s.vote) not in request.known_roots]
            if request.show_votes and unknown:
                answer.validators[-1].vote.attestation.CopyFrom(unknown[-1].vote)
                answer.validators[-1].vote.signature = unknown[-1].signature
        behaviour.on_liveness(answer, request, max(self.now()[0], 0), submissions)
        return answer

    # BeaconService: no more than a validator client may ask.

    def GetBlock(self, request, context):
        """Blocks by root, of those that were submitted."""
        behaviour = self._enter("GetBlock", context)
        with self.lock:
            block = None if behaviour.deny else self.chain.blocks.get(_bytes(request.block.root))
        if block is None:
            self._fail(context, grpc.StatusCode.NOT_FOUND, "BLOCK_NOT_FOUND", "no such block")
        return beacon.GetBlockResponse(
            root=request.block.root, slot=block.slot, proposer_index=block.proposer_index,
            parent_root=_hex(block.parent_root), state_root=_hex(block.state_root), body_root=_hex(ssz.body_root(block)))

    # What they share.

    def _take_votes(self, votes, method, context):
        arrived = time.time()
        with self.lock:
            behaviour = self.behaviour
            for vote in votes:
                self.calls.submissions.append(
                    Submission(arrived, vote.attestation, vote.signature, None, behaviour.name))
        self._enter(method, context)
        with self.lock:
            if not behaviour.refuse and not behaviour.lose:
                for vote in votes:
                    self.chain.import_vote(vote)
        return [self._result(behaviour) for _ in votes]

    def _result(self, behaviour):
        if behaviour.refuse:
            return validator.SubmitResult(status=validator.REFUSED, reason="STALE", message="refused by the script")
        return validator.SubmitResult(status=validator.ACCEPTED)

    def _enter(self, method, context):
        with self.lock:
            behaviour = self.behaviour
        error = behaviour.error(method)
        if error is not None:
            self._fail(context, *error)
        return behaviour

    def _check_buildable(self, request, context):
        if len(request.genesis_block_root) != 32:
            self._fail(context, grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_REQUEST",
                       f"genesis_block_root: {len(request.genesis_block_root)} bytes, expected 32")
        if request.genesis_block_root != self.chain.genesis_root:
            self._fail(context, grpc.StatusCode.FAILED_PRECONDITION, "WRONG_GENESIS", "another genesis")
        slot, into = self.now()
        if slot < 0:
            self._fail(context, grpc.StatusCode.FAILED_PRECONDITION, "BEFORE_GENESIS", "the chain has not begun")
        early = self.slot_s - into <= self.slot_s / INTERVALS / 4
        if request.slot != slot and not (early and request.slot == slot + 1):
            self._fail(context, grpc.StatusCode.FAILED_PRECONDITION, "WRONG_SLOT",
                       f"slot {request.slot} was asked for, the beacon's clock is in slot {slot}")

    def _poison(self, vote, behaviour):
        """Lock held. A vote of which no root can be computed cannot be signed anyway."""
        if all(len(checkpoint.root) == 32 for checkpoint in (vote.data.head, vote.data.target, vote.data.source)):
            self.calls.poisoned[ssz.attestation_root(vote)] = behaviour

    def _delay(self, behaviour, slot, context):
        end = time.monotonic() + behaviour.delay_s(self, slot)
        while time.monotonic() < end and context.is_active():
            time.sleep(0.02)

    def _time_ms(self):
        return time.time_ns() // 1_000_000

    @staticmethod
    def _fail(context, code, reason, message):
        info = any_pb2.Any()
        info.Pack(error_details.ErrorInfo(reason=reason, domain="lean.v1"))
        status = rpc_status.Status(code=code.value[0], message=message, details=[info])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(code, message)


def _hex(root):
    return "0x" + root.hex()


def _bytes(text):
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return b""
