"""Six connections send batches of 4096 wrong votes without a pause, from the same address as a validator client. No
duty is missed, and log and memory stay small."""

import random
import secrets
import threading

import e2e
import grpc
import usage
from duty_log import DutyLog, expect_none_missed

CALLERS = 6
BATCH = 4096
SLOTS = 6  # of the attack
# Generous, because the callers alone occupy a processor.
SLOT_MS = 2000
MAX_LOG_BYTES = 100_000  # that the attack adds
MAX_RSS = 900_000_000
SIGNATURE_BYTES = 3116


class GreedyCallersTest(e2e.NetworkTest):
    def test_wrong_votes_without_end(self):
        self.start_network(clients=1, slot_ms=SLOT_MS)
        expect_none_missed(self.attack)

    def attack(self):
        """Returns the duties that were missed."""
        net = self.network
        before = self.wait_for(lambda s: s.slot >= 2 and s.votes_in_previous_slot == 4, "the first votes")
        log_before = net.beacon.log_path.stat().st_size
        ended = threading.Event()
        counts = [{} for _ in range(CALLERS)]
        callers = [
            threading.Thread(target=self.call, args=(before.slot, ended, counts[number]), daemon=True)
            for number in range(CALLERS)
        ]
        for caller in callers:
            caller.start()
        peak = 0
        while net.rpc.status().slot < before.slot + SLOTS and not ended.wait(0.2):
            peak = max(peak, usage.rss(net.beacon.pid))
        # The callers are still active.
        after = net.rpc.status()
        ended.set()
        for caller in callers:
            caller.join()
        print(f"calls: {counts}; memory at most {peak >> 20} MiB; "
              f"log: {net.beacon.log_path.stat().st_size - log_before} bytes in {after.slot - before.slot} slots",
              flush=True)
        self.assertTrue(all(count for count in counts), "every caller was answered")
        self.assertLess(net.beacon.log_path.stat().st_size - log_before, MAX_LOG_BYTES)
        self.assertLess(peak, MAX_RSS)
        duties = DutyLog(net.clients[0].log_path, net.settings.validators)
        missed = duties.missed(before.slot, after.slot - 1)
        self.assertTrue(missed or after.finalized.slot > before.finalized.slot, after)
        return missed

    def call(self, slot, ended, counts):
        """Sends the same batch until `ended` is set, and counts answers by their code."""
        body = self.batch(slot)
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
        with grpc.insecure_channel(self.network.settings.address, options) as channel:
            submit = channel.unary_unary("/lean.v1.DutyService/SubmitVotes")
            while not ended.is_set():
                try:
                    submit(body, timeout=10)
                    code = "OK"
                except grpc.RpcError as error:
                    code = error.code().name
                counts[code] = counts.get(code, 0) + 1

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
