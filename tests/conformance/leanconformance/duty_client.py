"""Calls on a beacon's DutyService."""

import collections

import grpc

from leanconformance.stubs import error_details, rpc_status, validator, validator_grpc

MAX_MESSAGE_BYTES = 16 << 20

Failure = collections.namedtuple("Failure", "code reason domain metadata message")


def failure_of(error):
    """A grpc.RpcError as code, and what its ErrorInfo says; reason and domain are empty without one."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in rpc_status.Status.FromString(value).details:
                info = error_details.ErrorInfo()
                if detail.Unpack(info):
                    return Failure(error.code(), info.reason, info.domain, dict(info.metadata), error.details())
    return Failure(error.code(), "", "", {}, error.details())


class DutyClient:
    """Every method returns (answer, None) or (None, Failure)."""

    def __init__(self, address, timeout_s=10, credentials=None):
        options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.enable_http_proxy", 0),
                   ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.min_reconnect_backoff_ms", 200),
                   ("grpc.max_reconnect_backoff_ms", 200), ("grpc.use_local_subchannel_pool", 1)]
        if credentials is None:
            self._channel = grpc.insecure_channel(address, options=options)
        else:
            self._channel = grpc.secure_channel(address, credentials, options=options)
        self._stub = validator_grpc.DutyServiceStub(self._channel)
        self._timeout_s = timeout_s

    def call(self, method, request, timeout_s=None):
        try:
            # Waits for a beacon that is being restarted: a call that fails at once leaves gRPC no time to connect again.
            answer = getattr(self._stub, method)(request, timeout=timeout_s or self._timeout_s, wait_for_ready=True)
            return answer, None
        except grpc.RpcError as error:
            return None, failure_of(error)

    def get_duties(self, pubkeys, slot, timeout_s=None):
        return self.call("GetDuties", validator.GetDutiesRequest(pubkeys=pubkeys, slot=slot), timeout_s)

    def build_block(self, slot, proposer, genesis, timeout_s=None, header_only=False):
        request = validator.BuildBlockRequest(
            slot=slot, proposer_index=proposer, genesis_block_root=genesis, header_only=header_only)
        return self.call("BuildBlock", request, timeout_s)

    def build_vote(self, slot, genesis, timeout_s=None):
        return self.call("BuildVote", validator.BuildVoteRequest(slot=slot, genesis_block_root=genesis), timeout_s)

    def get_liveness(self, indices, from_slot, known_roots=(), show_votes=False, timeout_s=None):
        request = validator.GetLivenessRequest(
            indices=indices, from_slot=from_slot, known_roots=known_roots, show_votes=show_votes)
        return self.call("GetLiveness", request, timeout_s)

    def submit_block(self, block, timeout_s=None):
        return self.call("SubmitBlock", validator.SubmitBlockRequest(block=block), timeout_s)

    def submit_votes(self, votes, timeout_s=None):
        return self.call("SubmitVotes", validator.SubmitVotesRequest(votes=votes), timeout_s)

    def close(self):
        self._channel.close()
