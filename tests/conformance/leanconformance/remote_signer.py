"""Calls on a lean.v1.Signer."""

import grpc

from leanconformance.duty_client import failure_of
from leanconformance.stubs import signer, signer_grpc

START_TIMEOUT_S = 10


class SignerFailed(Exception):
    """Why the signer gave no answer."""


class RemoteSigner:
    """Whole votes and blocks in, a SignResult for each out. SignerFailed when the call itself failed."""

    def __init__(self, address):
        """`address`: unix:PATH of the signer's socket."""
        self._channel = grpc.insecure_channel(address)
        self._stub = signer_grpc.SignerStub(self._channel)

    def keys(self):
        """{validator index: public key}."""
        answer = self._stub.ListKeys(signer.ListKeysRequest(), timeout=START_TIMEOUT_S, wait_for_ready=True)
        return {key.validator_index: key.pubkey for key in answer.keys}

    def sign_votes(self, slot, votes, timeout_s):
        """One SignResult for each (public key, Attestation)."""
        items = [signer.VoteToSign(pubkey=pubkey, attestation=vote) for pubkey, vote in votes]
        return self._call(self._stub.SignVotes, signer.SignVotesRequest(slot=slot, votes=items), timeout_s).results

    def sign_block(self, pubkey, block, vote, timeout_s):
        request = signer.SignBlockRequest(pubkey=pubkey, block=block, proposer_attestation=vote)
        return self._call(self._stub.SignBlock, request, timeout_s).result

    @staticmethod
    def _call(method, request, timeout_s):
        try:
            return method(request, timeout=timeout_s)
        except grpc.RpcError as error:
            failure = failure_of(error)
            raise SignerFailed(f"the signer: {failure.reason or failure.code} {failure.message}") from error
