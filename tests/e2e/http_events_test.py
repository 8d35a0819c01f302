"""The events of a peer, of a reorganization, of votes in blocks and of the sync, as two beacons that part, agree again and restart stream
them: over HTTP in the documented form, and over gRPC with the same content."""

import shutil

import e2e
import http_client
import http_reference
import udp_link
from leandev import network
from leandev.processes import wait_until

SLOT_MS = 500
# A cursor of an earlier run: the stream begins with the oldest event that the beacon holds.
FROM_THE_BEGINNING = "1-1"


def indices(ranges):
    """"0-2,7": 0, 1, 2, 7."""
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


class HttpEventsTest(e2e.NetworkTest):
    def start(self):
        """Two beacons with half of the validators each, and a link between them that can be cut."""
        net = self.make_network(clients=2, beacons=2, slot_ms=SLOT_MS)
        for place in net.places:
            place.http_address = f"127.0.0.1:{network.free_port()}"
        self.link, address = udp_link.link_to(self, 0)
        net.places[0].dials = []
        net.places[1].dials = [address]
        net.start()
        return net

    def events_until(self, number, topics, last):
        """What a beacon has told since its start on these topics, as [(topic, data, cursor)], up to the first event that
        `last` accepts."""
        stream = http_client.Events(self.network.places[number].http_address, topics, last_event_id=FROM_THE_BEGINNING)
        self.addCleanup(stream.close)
        events = []
        while not events or not last(*events[-1][:2]):
            events.append(stream.next())
        self.assertEqual(stream.comments[0], ": error - the id is of an earlier run, whose events are not held")
        return events

    def expect_form(self, topic, data):
        """Names, their order and types are those of docs/reference/http.md."""
        self.assertEqual(http_reference.differs(data, http_reference.forms()[topic]), "", (topic, data))

    def by_grpc(self, number, kind, field, cursors):
        """The events of a kind with these cursors, as StreamEvents has them."""
        # pylint: disable=import-outside-toplevel
        import grpc
        from lean.v1 import beacon_pb2, beacon_pb2_grpc

        with grpc.insecure_channel(self.network.places[number].rpc_address) as channel:
            stream = beacon_pb2_grpc.BeaconServiceStub(channel).StreamEvents(
                beacon_pb2.StreamEventsRequest(kinds=[kind], after=FROM_THE_BEGINNING), timeout=e2e.PATIENCE_S)
            events = {}
            while not set(cursors) <= set(events):
                events.update((event.cursor, getattr(event, field)) for event in next(stream).events)
            stream.cancel()
        return [events[cursor] for cursor in cursors]

    def test_forms_of_peer_reorg_and_sync(self):
        net = self.start()
        self.wait_for_all(lambda s: s.peers == 1 and s.finalized.slot > 0, "finality of both")
        self.check_connection()
        parted = self.part()
        self.check_reorg(parted)
        self.check_block_votes()
        net.kill_node(1)
        self.check_disconnection()
        shutil.rmtree(net.data_dir(1))
        net.start_node(1)
        self.check_sync()

    def part(self):
        """Cuts the link until both have built blocks that the other has not, and waits until they agree again. Returns
        the block that both have finalized then."""
        net = self.network
        self.link.cut()
        cut = max(rpc.status().slot for rpc in net.rpcs)
        one, two = self.wait_for_all(lambda s: s.head.slot > cut + 2, "a branch of each")
        self.assertNotEqual(one.head.root, two.head.root)
        self.link.mend()

        def agree():
            one, two = (rpc.try_status() for rpc in net.rpcs)
            return one and two and one.finalized == two.finalized and one.finalized.slot > cut + 2 and one.finalized

        return wait_until(agree, e2e.PATIENCE_S, "both to finalize the same block")

    def check_connection(self):
        for number, outbound in ((0, False), (1, True)):
            *_, (topic, data, cursor) = self.events_until(number, "peer", lambda _, data: data["connected"])
            self.expect_form(topic, data)
            (peer,) = self.network.rpcs[number].peers()
            self.assertEqual(data, {
                "peer_id": self.network.peer_id(1 - number), "connected": True,
                "direction": "outbound" if outbound else "inbound", "address": peer.address, "agent": peer.agent,
                "reason": ""})
            (event,) = self.by_grpc(number, "PEER", "peer", [cursor])
            self.assertEqual((event.connected, event.peer_id, event.outbound, event.address, event.agent, event.reason),
                             (True, data["peer_id"], outbound, data["address"], data["agent"], ""))

    def check_reorg(self, finalized):
        """At least one of the beacons has left its branch, and says from where to where."""
        reorgs = []
        for number in range(2):
            events = self.events_until(number, "chain_reorg,finalized_checkpoint",
                                       lambda topic, data: data.get("block") == finalized.root)
            reorgs += [(number, data, cursor) for topic, data, cursor in events if topic == "chain_reorg"]
        self.assertTrue(reorgs)
        for number, data, cursor in reorgs:
            self.expect_form("chain_reorg", data)
            self.assertGreaterEqual(data["depth"], 1)
            (event,) = self.by_grpc(number, "REORG", "reorg", [cursor])
            old, new = event.old_head, event.new_head
            self.assertEqual(data, {
                "slot": new.block.slot, "depth": event.depth, "old_head_block": old.block.root,
                "new_head_block": new.block.root, "old_head_state": old.state_root, "new_head_state": new.state_root})

    def check_block_votes(self):
        """The votes in a block are those of its body."""
        events = self.events_until(0, "block_votes", lambda _, data: True)
        topic, data, cursor = events[-1]
        self.expect_form(topic, data)
        block = self.network.rpc.block(root=data["block"])
        said = {(vote["slot"], vote["head"]["root"], index)
                for vote in data["votes"] for index in indices(vote["validators"])}
        self.assertEqual(said, {(vote.slot, vote.head.root, vote.validator_index) for vote in block.attestations})
        (event,) = self.by_grpc(0, "BLOCK_VOTES", "block_votes", [cursor])
        self.assertEqual([(v.slot, v.head.root, v.validators) for v in event.votes],
                         [(v["slot"], v["head"]["root"], v["validators"]) for v in data["votes"]])

    def check_disconnection(self):
        # The cut may have ended an earlier connection, so this is about the state in the end.
        wait_until(lambda: self.network.rpc.status().peers == 0, e2e.PATIENCE_S, "the first beacon to miss its peer")
        events = self.events_until(0, "peer", lambda _, data: not data["connected"])
        _, data, cursor = events[-1]
        self.expect_form("peer", data)
        self.assertEqual((data["peer_id"], data["direction"]), (self.network.peer_id(1), "inbound"))
        self.assertNotEqual(data["reason"], "")
        (event,) = self.by_grpc(0, "PEER", "peer", [cursor])
        self.assertEqual((event.connected, event.reason), (False, data["reason"]))

    def check_sync(self):
        """The second beacon, which is back with an empty disk, tells that it is behind and then that it is in sync."""
        events = self.events_until(1, "sync", lambda _, data: not data["is_syncing"] and data["message"] == "synced")
        for topic, data, _ in events:
            self.expect_form(topic, data)
        self.assertTrue(any("slots behind" in data["message"] and data["is_syncing"] and data["lag_slots"] > 0 and
                            data["target_slot"] > 0 for _, data, _ in events), events)
        told = self.by_grpc(1, "SYNC", "sync", [cursor for _, _, cursor in events])
        self.assertEqual([(not e.synced, e.lag_slots, e.target_slot, e.message) for e in told],
                         [(d["is_syncing"], d["lag_slots"], d["target_slot"], d["message"]) for _, d, _ in events])


if __name__ == "__main__":
    e2e.main()
