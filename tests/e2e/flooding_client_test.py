"""A client with a certificate of its own floods a beacon with BuildBlock and SubmitVotes, on several connections at once.
The client beside it, which has the validators' keys, misses no duty."""

import random
import secrets
import threading
import time

import e2e
import grpc
from duty_log import DutyLog, expect_none_missed

CONNECTIONS = 4
CALLS_AT_ONCE = 4  # on each connection
BATCH = 256
SLOTS = 4  # of the flood
# Generous, because the flooding client alone occupies a processor.
SLOT_MS = 2000
SIGNATURE_BYTES = 3116


class FloodingClientTest(e2e.NetworkTest):
    def test_an_honest_client_misses_no_duty(self):
        net = self.make_network(clients=1, slot_ms=SLOT_MS)
        net.make_certificates()
        net.add_certificates("--validator", "flooder")
        net.start()
        expect_none_missed(self.flood_slots)

    def flood_slots(self):
        """Floods for some slots. Returns the duties that were missed."""
        net = self.network
        before = self.wait_for(lambda s: s.slot >= 2 and s.votes_in_previous_slot == 4, "the first votes")
        self.slot = before.slot
        ended = threading.Event()
        counts = [{} for _ in range(CONNECTIONS)]
        flood = [
            threading.Thread(target=self.flood, args=(before.slot, ended, count), daemon=True) for count in counts
        ]
        for connection in flood:
            connection.start()
        while self.slot < before.slot + SLOTS:
            after = net.rpc.status()
            self.slot = after.slot
            time.sleep(0.2)  # between two looks at the slot
        ended.set()
        for connection in flood:
            connection.join()
        total = {}
        for count in counts:
            for name, number in count.items():
                total[name] = total.get(name, 0) + number
        print(f"answers to the flood in {after.slot - before.slot} slots: {dict(sorted(total.items()))}", flush=True)
        # All connections together have the share of one client.
        built = total.get("BuildBlock OK", 0) + total.get("BuildBlock FAILED_PRECONDITION", 0)
        self.assertLessEqual(built, 16 * (after.slot - before.slot + 2))
        self.assertGreater(total["BuildBlock RESOURCE_EXHAUSTED"], 0)
        self.wait_for_log(0, 'caller_bounded share=blocks caller="cert:lean://validator/flooder"')
        duties = DutyLog(net.clients[0].log_path, net.settings.validators)
        return duties.missed(before.slot, after.slot - 1)

    def flood(self, slot, ended, counts):
        """Keeps CALLS_AT_ONCE calls in progress until `ended` is set, and counts answers by method and code."""
        folder = self.network.certificates / "flooder"
        files = [(folder / name).read_bytes() for name in ("ca.pem", "key.pem", "cert.pem")]
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        votes = self.batch(slot)
        with grpc.secure_channel(self.network.settings.address, grpc.ssl_channel_credentials(*files), options) as channel:
            methods = {name: channel.unary_unary(f"/lean.v1.DutyService/{name}") for name in ("BuildBlock", "SubmitVotes")}
            calls = []
            while not ended.is_set():
                while len(calls) < CALLS_AT_ONCE:
                    name = random.choice(list(methods))
                    body = self.build(self.slot) if name == "BuildBlock" else votes
                    calls.append((name, methods[name].future(body, timeout=10)))
                name, call = calls.pop(0)
                code = call.code().name  # waits for its end
                counts[f"{name} {code}"] = counts.get(f"{name} {code}", 0) + 1
            for _, call in calls:
                call.cancel()

    def build(self, slot):
        from lean.v1 import validator_pb2

        return validator_pb2.BuildBlockRequest(
            slot=slot, proposer_index=slot % self.network.settings.validators, genesis_block_root=self.genesis_root()
        ).SerializeToString()

    def genesis_root(self):
        if not hasattr(self, "_genesis_root"):
            self._genesis_root = bytes.fromhex(self.network.rpc.node_info().genesis_block_root.removeprefix("0x"))
        return self._genesis_root

    @staticmethod
    def batch(slot):
        from lean.v1 import types_pb2, validator_pb2

        request = validator_pb2.SubmitVotesRequest()
        for _ in range(BATCH):
            root = types_pb2.Checkpoint(root=secrets.token_bytes(32), slot=slot)
            data = types_pb2.AttestationData(slot=slot, head=root, target=root, source=root)
            request.votes.add(
                attestation=types_pb2.Attestation(validator_index=random.randrange(4), data=data),
                signature=secrets.token_bytes(SIGNATURE_BYTES))
        return request.SerializeToString()


if __name__ == "__main__":
    e2e.main()
