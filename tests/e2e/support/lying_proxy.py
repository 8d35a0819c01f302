"""A beacon that lies only about liveness. All other calls are forwarded to another beacon."""

import concurrent.futures

import grpc
from lean.v1 import validator_pb2 as validator

METHOD = "/lean.v1.DutyService/GetLiveness"
MAX_MESSAGE_BYTES = 16 << 20
SIGNATURE_BYTES = 3116


def honest(request, answer):
    """The other beacon's answer, unchanged."""


def claim(request, answer):
    """Claims that others vote with all keys in every slot."""
    for seen in answer.validators:
        seen.live, seen.latest_vote_slot = True, 2**63
        seen.ClearField("vote")


def forge(request, answer):
    """Like `claim`, with votes that have wrong signatures."""
    claim(request, answer)
    for index, seen in zip(request.indices, answer.validators):
        seen.vote.attestation.validator_index = index
        data = seen.vote.attestation.data
        data.slot = request.from_slot
        for checkpoint in (data.head, data.target, data.source):
            checkpoint.root, checkpoint.slot = bytes([7]) * 32, request.from_slot
        seen.vote.signature = bytes(SIGNATURE_BYTES)


class LyingProxy(grpc.GenericRpcHandler):
    """Serves on a loopback port until close(). `lie` changes each answer, and may be set at any time."""

    def __init__(self, address, lie=honest):
        self.lie = lie
        self._channel = grpc.insecure_channel(
            address, options=[("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.enable_http_proxy", 0)])
        self._server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(16),
            options=[("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((self,))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def service(self, handler_call_details):
        method = handler_call_details.method

        def answer(request, context):
            try:
                honest_answer = self._channel.unary_unary(method)(request, timeout=context.time_remaining())
            except grpc.RpcError as error:
                context.set_trailing_metadata(error.trailing_metadata() or ())
                context.abort(error.code(), error.details())
            return self._changed(request, honest_answer) if method == METHOD else honest_answer

        return grpc.unary_unary_rpc_method_handler(answer)

    def _changed(self, request, answer):
        parsed = validator.GetLivenessResponse.FromString(answer)
        self.lie(validator.GetLivenessRequest.FromString(request), parsed)
        return parsed.SerializeToString()

    def close(self):
        self._server.stop(0).wait()
        self._channel.close()
