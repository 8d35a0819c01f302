"""Beacons that were away catch up with their peers, and serve no duties until they have."""

import e2e
import faulty_proxy
import grpc
import udp_link
from duty_log import DutyLog, expect_none_missed
from leandev.processes import Process, wait_until

SLOT_MS = 500
SLOTS_LATE = 60
# Until a peer is killed: a sync of this many slots would take nine seconds. A peer that is slower is given up.
PEER_BYTES_PER_SECOND = 60_000


class SyncTest(e2e.NetworkTest):
    def ask_for_vote(self, number):
        """None if the beacon builds a vote for its slot, otherwise the error."""
        from lean.v1 import validator_pb2, validator_pb2_grpc  # pylint: disable=import-outside-toplevel

        rpc = self.network.rpcs[number]
        genesis = bytes.fromhex(rpc.genesis().genesis_block_root[2:])
        with grpc.insecure_channel(self.network.places[number].rpc_address) as channel:
            while True:
                request = validator_pb2.BuildVoteRequest(slot=rpc.status().slot, genesis_block_root=genesis)
                try:
                    validator_pb2_grpc.DutyServiceStub(channel).BuildVote(request, timeout=e2e.PATIENCE_S)
                except grpc.RpcError as error:
                    # The slot may end between the two calls.
                    if error.code() == grpc.StatusCode.FAILED_PRECONDITION and rpc.status().slot > request.slot:
                        continue
                    return error
                return None

    def await_head_of_first(self, number):
        """Waits until the beacon is synced and has the first one's head, which it returns."""

        def met():
            own, first = self.network.rpcs[number].try_status(), self.network.rpc.try_status()
            return first if own and first and own.synced and own.head == first.head else None

        return wait_until(met, e2e.PATIENCE_S, f"beacon {number} to have the first one's head")

    def test_late_beacon_catches_up_though_a_peer_dies(self):
        net = self.make_network(clients=2, slot_ms=SLOT_MS, beacons=3)
        links = [udp_link.link_to(self, number, PEER_BYTES_PER_SECOND) for number in (0, 1)]
        net.places[2].dials = [address for _, address in links]
        for number in (0, 1):
            net.start_node(number)
            net.start_client(number)
        begin = self.wait_for(lambda s: s.slot > SLOTS_LATE and s.finalized.slot > SLOTS_LATE - 20, "the chain to be long")

        # It is linked only after it answers, so that the test sees how it detects that it is behind.
        net.start_beacon(2)
        net.start_engine(2)
        behind = wait_until(
            # With the first of its two peers linked it knows its lag, and still waits for the other one.
            lambda: next((s for s in [net.rpcs[2].try_status()] if s and "slots behind" in s.sync.message), None),
            e2e.PATIENCE_S, "the late beacon to see that it is behind")
        self.assertFalse(behind.synced)
        error = self.ask_for_vote(2)
        self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertRegex(error.details(), r"syncing: \d+ slots behind lean-p2p")
        self.assertIn("SYNCING", str(error.trailing_metadata()))
        wait_until(lambda: "sync_range_begins" in self.log_of(2), e2e.PATIENCE_S, "the sync to begin")
        net.kill_node(1)
        self.assertNotIn("sync_range_ended", self.log_of(2), "it was killed in the middle")
        self.assertLess(net.rpcs[2].status().head.slot, begin.slot - 5)
        for link, _ in links:
            link.set_rate(None)

        self.await_head_of_first(2)
        self.assertIsNone(self.ask_for_vote(2))
        self.wait_for_log(2, r"syncing head_slot=0 message=\"\d+ slots behind", r"synced head_slot=\d+")
        # The killed beacon has lost everything. It returns in the same way, and so do its validators.
        net.start_node(1)
        now = self.await_head_of_first(1)
        self.wait_for(lambda s: s.finalized.slot > now.slot, "the chain to be finalized again")

    def test_lagging_first_beacon_returns_to_service(self):
        net = self.make_network(clients=1, slot_ms=800, beacons=2)
        link, address = udp_link.link_to(self, 0)
        net.places[0].dials = []
        net.places[1].dials = [address]
        first = faulty_proxy.proxy_to(self, net.places[0].rpc_address)
        for number in (0, 1):
            net.start_node(number)
        log_path = net.settings.directory / "client.log"
        net.clients[0] = Process(
            "client",
            [
                *(e2e.BUILD_DIR / "bin" / "lean-validator", "run", "--keystores", net.keystores[0]),
                *("--genesis", net.genesis_dir, "--beacon", first.address, "--beacon", net.places[1].rpc_address),
            ],
            log_path)
        log = DutyLog(log_path, net.settings.validators)

        def await_duties_with(address):
            begin = net.rpcs[1].status().slot

            def done():
                blocks, votes = log.blocks(), log.votes()
                return next((s for s in blocks if s > begin and blocks[s] == votes.get(s) == address), None)

            return wait_until(done, e2e.PATIENCE_S, f"the duties of a slot with {address}")

        def cut_off_and_back():
            """Returns the duties that were missed."""
            begin = await_duties_with(first.address)
            # The first beacon is cut off from everything, and misses more slots than a beacon may lag behind.
            first.become(faulty_proxy.REFUSE)
            link.cut()
            cut = await_duties_with(net.places[1].rpc_address)
            wait_until(lambda: net.rpcs[1].status().head.slot > cut + 12, e2e.PATIENCE_S, "the first beacon to lag")
            # It is back but behind, so the second one is still used.
            first.become(faulty_proxy.PASS)
            await_duties_with(net.places[1].rpc_address)
            lag = net.rpcs[1].status().head.slot - net.rpcs[0].status().head.slot
            self.assertGreater(lag, 5)
            # It catches up and is used again.
            link.mend()
            return log.missed(begin, await_duties_with(first.address))

        expect_none_missed(cut_off_and_back, log.text)
        self.wait_for_log(0, r"syncing head_slot=\d+ message=\"\d+ slots behind")


if __name__ == "__main__":
    e2e.main()
