"""Every kind of malformed body gets a status with its reason, and the beacon continues to serve."""

import random
import socket
import sys

import e2e
import grpc

sys.path.insert(0, str(e2e.BUILD_DIR / "python"))

TIMEOUT_S = 60
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
QUERIES = ("GetHead", "GetChainStatus", "GetBlock", "GetState", "GetValidators", "GetForkChoice", "GetLatestVotes",
           "GetParticipation", "GetSpec", "GetGenesis", "GetNodeInfo")
DUTIES = ("GetDuties", "BuildBlock", "BuildVote", "SubmitBlock", "SubmitVote", "SubmitVotes", "GetLiveness")
METHODS = [f"/lean.v1.BeaconService/{m}" for m in QUERIES] + [f"/lean.v1.DutyService/{m}" for m in DUTIES]

# Not a protobuf message of any type.
NOT_MESSAGES = {
    "a tag without an end": b"\xff\xff\xff",
    "a number without an end": b"\x08\xff",
    "field number 0": b"\x00\x01",
    "a group": b"\x0b\x0c",
    "wire type 7": b"\x0f\x00",
    "fewer bytes than announced": b"\xa2\x06\x7f\x00",
    "a length over 2^31": b"\xa2\x06\xff\xff\xff\xff\x0f",
    "an endless list of fields": b"\xa0\x06\x00" * 1_000_000,
}


class MalformedTest(e2e.NetworkTest):
    def setUp(self):
        super().setUp()
        from google.rpc import error_details_pb2, status_pb2
        from lean.v1 import beacon_pb2, types_pb2, validator_pb2

        self.details, self.status_pb2 = error_details_pb2, status_pb2
        self.beacon_pb2, self.types_pb2, self.validator_pb2 = beacon_pb2, types_pb2, validator_pb2
        self.make_network(clients=1).start_beacon()
        self.address = self.network.settings.address
        self.channel = self.connect()

    def connect(self):
        """A new connection."""
        options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        channel = grpc.insecure_channel(self.address, options=options)
        self.addCleanup(channel.close)
        return channel

    def send(self, method, body, channel=None):
        """Status code and ErrorInfo of a call with these bytes; the info is None when there is none."""
        call = (channel or self.channel).unary_unary(method)  # bytes in, bytes out
        try:
            call(body, timeout=TIMEOUT_S)
            return grpc.StatusCode.OK, None
        except grpc.RpcError as error:
            for key, value in error.trailing_metadata() or ():
                if key == "grpc-status-details-bin":
                    info = self.details.ErrorInfo()
                    self.assertTrue(self.status_pb2.Status.FromString(value).details[0].Unpack(info))
                    self.assertEqual(info.domain, "lean.v1")
                    return error.code(), info
            return error.code(), None

    def assert_malformed(self, method, body, what):
        code, info = self.send(method, body)
        self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT, f"{method}: {what}")
        self.assertEqual(info.reason, "MALFORMED_REQUEST", f"{method}: {what}")

    def assert_serving(self):
        self.assertIsNotNone(self.network.rpc.try_status(timeout_s=20), self.network.beacon.log_tail())

    def test_bytes_that_are_no_message(self):
        for method in METHODS:
            for what, body in NOT_MESSAGES.items():
                self.assert_malformed(method, body, what)
        self.assert_serving()

    def test_random_bytes(self):
        seed = random.randrange(2**32)
        source = random.Random(seed)
        for method in METHODS:
            for _ in range(40):
                code, _ = self.send(method, source.randbytes(source.randrange(1, 300)))
                self.assertNotIn(
                    code, (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE,
                           grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNIMPLEMENTED), f"{method}, seed {seed}")
        self.assert_serving()

    def test_fields_that_are_wrong(self):
        b, t, v = self.beacon_pb2, self.types_pb2, self.validator_pb2
        ids = {
            "none": b.BlockId(),
            "an empty root": b.BlockId(root=""),
            "a short root": b.BlockId(root="0x1234"),
            "a long root": b.BlockId(root="0x" + "00" * 33),
            "a root that is not hex": b.BlockId(root="zz" * 32),
            "a root of megabytes": b.BlockId(root="00" * 2_000_000),
            "no such name": b.BlockId(name=77),
        }
        for what, block_id in ids.items():
            for method in ("GetBlock", "GetState"):
                request = getattr(b, method + "Request")(block=block_id)
                self.assert_malformed(f"/lean.v1.BeaconService/{method}", request.SerializeToString(), what)
        not_utf8 = b"\x0a\x04\x0a\x02\xff\xfe"
        self.assert_malformed("/lean.v1.BeaconService/GetBlock", not_utf8, "text that is not UTF-8")
        self.assert_malformed(
            "/lean.v1.BeaconService/GetValidators", b.GetValidatorsRequest(limit=4097).SerializeToString(), "limit")
        self.assert_malformed(
            "/lean.v1.BeaconService/GetForkChoice", b.GetForkChoiceRequest(limit=16385).SerializeToString(), "limit")

        root = b"\1" * 32
        checkpoint = t.Checkpoint(root=root, slot=1)
        data = t.AttestationData(slot=1, head=checkpoint, target=checkpoint, source=checkpoint)
        vote = t.Attestation(validator_index=1, data=data)
        block = t.Block(slot=1, proposer_index=1, parent_root=root, state_root=root)
        signature = b"\2" * 3116
        good = t.SignedBlock(block=block, proposer_attestation=vote, signatures=[signature])
        duty = {
            "GetDuties": {
                "a short key": v.GetDutiesRequest(pubkeys=[b"x"]),
                "too many keys": v.GetDutiesRequest(pubkeys=[b"\0" * 52] * 4097),
            },
            "BuildBlock": {"nothing": v.BuildBlockRequest(), "a short root": v.BuildBlockRequest(genesis_block_root=b"x")},
            "BuildVote": {"nothing": v.BuildVoteRequest(), "a long root": v.BuildVoteRequest(genesis_block_root=b"x" * 33)},
            "SubmitBlock": {
                "nothing": v.SubmitBlockRequest(),
                "an empty block": v.SubmitBlockRequest(block=t.SignedBlock()),
                "no block": self.changed_block(good, lambda m: m.ClearField("block")),
                "no proposer vote": self.changed_block(good, lambda m: m.ClearField("proposer_attestation")),
                "no signature": self.changed_block(good, lambda m: m.ClearField("signatures")),
                "two signatures": self.changed_block(good, lambda m: m.signatures.append(signature)),
                "a short signature": self.changed_block(good, lambda m: m.signatures.__setitem__(0, b"x")),
                "a long signature": self.changed_block(good, lambda m: m.signatures.__setitem__(0, b"x" * 3117)),
                "a short parent root": self.changed_block(good, lambda m: setattr(m.block, "parent_root", b"x")),
                "a long state root": self.changed_block(good, lambda m: setattr(m.block, "state_root", b"x" * 33)),
                "an empty vote": self.changed_block(good, lambda m: m.block.attestations.add()),
                "4096 votes": self.changed_block(good, lambda m: m.block.attestations.extend([vote] * 4096)),
            },
            "SubmitVote": {
                "nothing": v.SubmitVoteRequest(),
                "an empty vote": v.SubmitVoteRequest(vote=t.SignedAttestation()),
                "no data": v.SubmitVoteRequest(vote=t.SignedAttestation(attestation=t.Attestation(), signature=signature)),
                "no signature": v.SubmitVoteRequest(vote=t.SignedAttestation(attestation=vote)),
            },
            "SubmitVotes": {
                "nothing": v.SubmitVotesRequest(),
                "too many votes": v.SubmitVotesRequest(votes=[t.SignedAttestation()] * 4097),
            },
            "GetLiveness": {
                "an index beyond the registry": v.GetLivenessRequest(indices=[4096]),
                "too many indices": v.GetLivenessRequest(indices=[0] * 4097),
            },
        }
        for method, requests in duty.items():
            for what, request in requests.items():
                self.assert_malformed(f"/lean.v1.DutyService/{method}", request.SerializeToString(), what)
        self.assert_serving()

    def changed_block(self, block, change):
        request = self.validator_pb2.SubmitBlockRequest(block=block)
        change(request.block)
        return request

    def test_a_bad_vote_does_not_spoil_its_batch(self):
        v, t = self.validator_pb2, self.types_pb2
        request = v.SubmitVotesRequest(votes=[t.SignedAttestation()] * 3)
        call = self.channel.unary_unary("/lean.v1.DutyService/SubmitVotes")
        answer = v.SubmitVotesResponse.FromString(call(request.SerializeToString(), timeout=TIMEOUT_S))
        self.assertEqual([r.reason for r in answer.results], ["MALFORMED"] * 3)

    def test_messages_that_are_too_large(self):
        body = b"\xa2\x06" + b"\x80\x80\x80\x08" + b"x" * MAX_MESSAGE_BYTES
        for method in METHODS:
            # These requests never complete, so a connection with several of them is closed.
            code, _ = self.send(method, body, self.connect())
            self.assertEqual(code, grpc.StatusCode.RESOURCE_EXHAUSTED, method)
        self.assert_serving()

    def test_unknown_fields_are_ignored(self):
        code, _ = self.send("/lean.v1.BeaconService/GetHead", b"\xa0\x06\x01\xa2\x06\x03abc")
        self.assertEqual(code, grpc.StatusCode.OK)

    def test_unknown_methods(self):
        for method in ("/lean.v1.BeaconService/GetNothing", "/lean.v2.BeaconService/GetHead", "/x/y"):
            code, _ = self.send(method, b"")
            self.assertEqual(code, grpc.StatusCode.UNIMPLEMENTED, method)

    def test_connections_that_do_not_speak_grpc(self):
        host, port = self.address.split(":")
        for what in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0" * 1000, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b""):
            with socket.create_connection((host, int(port)), timeout=20) as connection:
                connection.sendall(what)
        self.assert_serving()


if __name__ == "__main__":
    e2e.main()
