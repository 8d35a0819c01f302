"""Callers that keep the beacons of a network busy: queries of every kind, and votes without a valid signature."""

import collections
import random
import secrets
import threading

import grpc

# Codes that a caller must expect from a beacon that is killed, starting, behind or busy, or that lacks the requested
# data.
EXPECTED = (
    grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED,
    grpc.StatusCode.NOT_FOUND, grpc.StatusCode.RESOURCE_EXHAUSTED)
SIGNATURE_BYTES = 3116
VOTES_AT_ONCE = 8
PAUSE_S = 0.05
DEADLINE_S = 2


class Load:
    """A caller for each beacon, each in a separate thread, until stop()."""

    def __init__(self, network, seed):
        from lean.v1 import beacon_pb2, beacon_pb2_grpc, types_pb2, validator_pb2, validator_pb2_grpc

        self._beacon, self._types, self._duties = beacon_pb2, types_pb2, validator_pb2
        self._beacon_stub, self._duty_stub = beacon_pb2_grpc.BeaconServiceStub, validator_pb2_grpc.DutyServiceStub
        self._lock = threading.Lock()
        self._counts = collections.Counter()  # by what was answered
        self._unexpected = []
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._call, args=(place.rpc_address, random.Random(seed + number)), daemon=True)
            for number, place in enumerate(network.places)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def counts(self):
        """Calls by the code of their answer."""
        with self._lock:
            return dict(self._counts)

    def unexpected(self):
        """Errors that are not explained by a kill, as texts."""
        with self._lock:
            return list(self._unexpected)

    def _call(self, address, choose):
        options = [("grpc.max_reconnect_backoff_ms", 500), ("grpc.initial_reconnect_backoff_ms", 100)]
        with grpc.insecure_channel(address, options) as channel:
            beacon, duties = self._beacon_stub(channel), self._duty_stub(channel)
            slot = 0
            while not self._ended.wait(PAUSE_S):
                try:
                    if choose.random() < 0.1:
                        # Waits until a killed beacon is back.
                        status = beacon.GetChainStatus(
                            self._beacon.GetChainStatusRequest(), timeout=DEADLINE_S, wait_for_ready=True)
                        slot = max(status.slot, 0)
                    else:
                        self._ask_something(beacon, duties, slot, choose)
                    self._count("OK")
                except grpc.RpcError as error:
                    self._count(error.code().name)
                    if error.code() not in EXPECTED:
                        with self._lock:
                            self._unexpected.append(f"{address}: {error.code().name}: {error.details()}")

    def _ask_something(self, beacon, duties, slot, choose):
        kind = choose.randrange(6)
        if kind == 0:
            beacon.GetForkChoice(self._beacon.GetForkChoiceRequest(), timeout=DEADLINE_S)
        elif kind == 1:
            request = self._beacon.GetStateRequest(block=self._beacon.BlockId(name=choose.choice((1, 2, 3))))
            beacon.GetState(request, timeout=DEADLINE_S)
        elif kind == 2:
            beacon.GetValidators(self._beacon.GetValidatorsRequest(), timeout=DEADLINE_S)
        elif kind == 3:
            votes = [self._nobodys_vote(slot, choose) for _ in range(VOTES_AT_ONCE)]
            duties.SubmitVotes(self._duties.SubmitVotesRequest(votes=votes), timeout=DEADLINE_S)
        else:
            request = self._beacon.GetBlockRequest(block=self._beacon.BlockId(slot=choose.randint(0, slot)))
            beacon.GetBlock(request, timeout=DEADLINE_S)

    def _nobodys_vote(self, slot, choose):
        """A vote with a wrong signature, for an unknown block."""
        def checkpoint():
            return self._types.Checkpoint(root=choose.randbytes(32), slot=slot)

        data = self._types.AttestationData(slot=slot, head=checkpoint(), target=checkpoint(), source=checkpoint())
        return self._types.SignedAttestation(
            attestation=self._types.Attestation(validator_index=choose.randrange(4), data=data),
            signature=secrets.token_bytes(SIGNATURE_BYTES))

    def _count(self, code):
        with self._lock:
            self._counts[code] += 1
