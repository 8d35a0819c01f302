"""Every route of a live beacon's HTTP server, compared with gRPC: forms, errors, events, ports and TLS."""

import collections
import http.client
import shutil
import socket
import ssl
import subprocess

import certificates
import e2e
import http_client
import http_reference
from leandev import network
from leandev.processes import Process, wait_until
from metrics_page import scrape


def checkpoint(view):
    return {"slot": view.slot, "root": view.root}


def data_of(vote):
    return {
        "slot": vote.slot, "head": checkpoint(vote.head), "target": checkpoint(vote.target),
        "source": checkpoint(vote.source)
    }


class HttpTest(e2e.NetworkTest):
    def setUp(self):
        super().setUp()
        self.net = self.make_network(clients=2)
        self.address = f"127.0.0.1:{network.free_port()}"
        self.metrics_port = network.free_port()
        self.net.places[0].http_address = self.address
        self.net.places[0].arguments = ("--metrics-address", self.metrics_port)

    def get(self, path):
        return http_client.get_json(self.address, path)

    def same_moment(self, path):
        """What the path answers, and the chain's status before and after, between which no block came."""

        def met():
            before = self.net.rpc.status()
            answer = self.get(path)
            after = self.net.rpc.status()
            same = (before.head, before.justified, before.finalized, before.safe_target) == (
                after.head, after.justified, after.finalized, after.safe_target)
            return (answer, after) if same else None

        return wait_until(met, e2e.PATIENCE_S, f"no block to come while {path} is answered")

    def test_routes(self):
        self.net.start_beacon()
        self._check_genesis()
        for number in range(2):
            self.net.start_client(number)
        self.wait_for_finality(above=4)
        self._check_health()
        self._check_checkpoints()
        self._check_fork_choice()
        self._check_votes()
        self._check_page()
        self._check_blocks()
        self._check_ssz()
        self._check_node()
        self._check_forms()
        self._check_errors()
        self._check_events()
        self._check_metrics()

    def _check_genesis(self):
        """Before the chain has finalized anything."""
        genesis = self.net.rpc.genesis()
        self.assertEqual(self.get("/lean/v0/genesis"), {"genesis_time": genesis.genesis_time, "validator_count": 4})
        self.assertEqual(self.get("/lean/v0/checkpoints/finalized"), {"slot": 0, "root": genesis.genesis_block_root})
        block = http_client.get(self.address, "/lean/v0/blocks/finalized")
        self.assertEqual((block.status, block.type), (200, "application/octet-stream"))
        # Two offsets of 4 bytes; the block with its offset of the body; a vote of zeros; no signatures.
        self.assertEqual(block.body[:4], (8).to_bytes(4, "little"))
        self.assertEqual(int.from_bytes(block.body[4:8], "little"), len(block.body), "no signatures")
        state = http_client.get(self.address, "/lean/v0/states/finalized")
        self.assertEqual((state.status, state.type), (200, "application/octet-stream"))
        self.assertEqual(state.body[:8], genesis.genesis_time.to_bytes(8, "little"))

    def _check_health(self):
        for path in ("/lean/v0/health", "/v0/health"):
            answer = http_client.get(self.address, path)
            self.assertEqual(answer.body, b'{"status":"healthy","service":"lean-rpc-api"}')
            self.assertEqual((answer.status, answer.type), (200, "application/json"))
            self.assertEqual(answer.headers["Content-Length"], "45")
        head = http_client.get(self.address, "/lean/v0/health", method="HEAD")
        self.assertEqual((head.status, head.body, head.headers["Content-Length"]), (200, b"", "45"))
        if shutil.which("curl"):
            said = subprocess.run(["curl", "-sS", f"http://{self.address}/lean/v0/health"], capture_output=True,
                                  timeout=e2e.PATIENCE_S, check=True)
            self.assertEqual(said.stdout, b'{"status":"healthy","service":"lean-rpc-api"}')

    def _check_checkpoints(self):
        justified, status = self.same_moment("/lean/v0/checkpoints/justified")
        self.assertEqual(justified, checkpoint(status.justified))
        self.assertEqual(list(justified), ["slot", "root"])
        finalized, status = self.same_moment("/lean/v0/checkpoints/finalized")
        self.assertEqual(finalized, checkpoint(status.finalized))
        head, status = self.same_moment("/lean/v0/head")
        self.assertEqual(head, {"head": status.head.root})
        self.assertEqual(self.get("/lean/v0/config/spec"), {
            "MILLISECONDS_PER_SLOT": e2e.SLOT_MS, "INTERVALS_PER_SLOT": 4,
            "MILLISECONDS_PER_INTERVAL": e2e.SLOT_MS // 4, "JUSTIFICATION_LOOKBACK_SLOTS": 3,
            "HISTORICAL_ROOTS_LIMIT": 262144, "VALIDATOR_REGISTRY_LIMIT": 4096})

    def _check_fork_choice(self):
        tree, status = self.same_moment("/lean/v0/fork_choice")
        self.assertEqual(list(tree), ["nodes", "head", "justified", "finalized", "safe_target", "validator_count"])
        self.assertEqual(tree["head"], status.head.root)
        self.assertEqual(tree["safe_target"], status.safe_target.root)
        self.assertEqual(tree["justified"], checkpoint(status.justified))
        self.assertEqual(tree["finalized"], checkpoint(status.finalized))
        self.assertEqual(tree["validator_count"], 4)
        slots = {node["root"]: node["slot"] for node in tree["nodes"]}
        self.assertEqual(tree["nodes"][0]["root"], status.finalized.root)
        self.assertIn(status.head.root, slots)
        for node in tree["nodes"]:
            self.assertEqual(list(node), ["root", "slot", "parent_root", "proposer_index", "weight"])
            self.assertEqual(node["proposer_index"], node["slot"] % 4)
            self.assertLessEqual(node["weight"], 4)

    def _check_votes(self):
        """Everybody votes here: in a slot before the current one, unless the machine was too busy."""

        def all_voted():
            slots = {entry["slot"]: entry for entry in self.get("/lean/v0/participation")["slots"]}
            return any(entry == {"slot": slot, "votes": 4, "validators": "0-3"}
                       for slot, entry in slots.items() if slot < max(slots))

        wait_until(all_voted, e2e.PATIENCE_S, "a slot with all votes")
        votes = self.get("/lean/v0/fork_choice/votes")["votes"]
        self.assertEqual(list(votes[0]), ["slot", "head", "validators"])
        self.assertEqual(self.net.rpc.block(root=votes[-1]["head"]["root"]).slot, votes[-1]["head"]["slot"])

    def _check_page(self):
        for path, kind in (("/", "html"), ("/lean/v0/fork_choice/ui", "html"), ("/page/page.js", "javascript"),
                           ("/page/page.css", "css")):
            answer = http_client.get(self.address, path)
            self.assertEqual((answer.status, answer.type), (200, f"text/{kind}; charset=utf-8"))
            self.assertIn("default-src 'self'", answer.headers["Content-Security-Policy"])

    def _check_blocks(self):
        slot = self.net.rpc.status().finalized.slot
        expected = self.net.rpc.block(slot=slot)
        block = self.get(f"/lean/v0/blocks/{slot}")
        self.assertEqual(block, {
            "slot": slot, "proposer_index": slot % 4, "parent_root": expected.parent_root,
            "state_root": expected.state_root,
            "body": {"attestations": [
                {"validator_id": vote.validator_index, "data": data_of(vote)} for vote in expected.attestations]}})
        self.assertEqual(self.get(f"/lean/v0/blocks/{expected.root}"), block)
        header = {"slot": slot, "proposer_index": slot % 4, "parent_root": expected.parent_root,
                  "state_root": expected.state_root, "body_root": expected.body_root}
        for path in (f"/lean/v0/blocks/{slot}/header", f"/lean/v0/headers/{slot}",
                     f"/lean/v0/headers/{expected.root}"):
            answer = self.get(path)
            self.assertEqual(answer, header)
            self.assertEqual(list(answer), list(header))
        self.assertEqual(self.get("/lean/v0/headers/genesis")["slot"], 0)
        state = self.get(f"/lean/v0/states/{slot}")
        self.assertEqual((state["slot"], state["state_root"], state["block_root"], state["validator_count"]),
                         (slot, expected.state_root, expected.root, 4))
        self.assertEqual(self.get("/lean/v0/states/head").keys(), state.keys())

    def _check_ssz(self):
        """The bytes are those of GetCheckpoint, which tests of checkpoint sync check."""
        from lean.v1 import beacon_pb2, beacon_pb2_grpc
        import grpc

        with grpc.insecure_channel(self.net.settings.address) as channel:
            stub = beacon_pb2_grpc.BeaconServiceStub(channel)
            for path, part in (("blocks", "BLOCK"), ("states", "STATE")):
                while True:
                    root = self.net.rpc.status().finalized.root
                    answer = http_client.get(self.address, f"/lean/v0/{path}/finalized")
                    if self.net.rpc.status().finalized.root == root:
                        break
                self.assertEqual((answer.status, answer.type), (200, "application/octet-stream"))
                request = beacon_pb2.GetCheckpointRequest(root=root, part=part)
                self.assertEqual(stub.GetCheckpoint(request, timeout=10).data, answer.body)

    def _check_node(self):
        syncing, status = self.same_moment("/lean/v0/node/syncing")
        self.assertEqual(list(syncing), ["is_syncing", "head_slot", "sync_distance", "finalized_slot"])
        self.assertEqual((syncing["is_syncing"], syncing["head_slot"], syncing["finalized_slot"]),
                         (False, status.head.slot, status.finalized.slot))
        self.assertLessEqual(syncing["sync_distance"], 2)
        identity = self.get("/lean/v0/node/identity")
        self.assertEqual(list(identity), ["version", "peer_id"])
        self.assertTrue(identity["version"].startswith("lean-beacon/v"), identity)
        self.assertEqual(self.get("/lean/v0/node/peers"), [])
        self.assertEqual(self.get("/lean/v0/node/peer_count"),
                         {"connected": 0, "connecting": 0, "disconnected": 0, "disconnecting": 0})

    def _check_forms(self):
        """The answers are of the forms that docs/reference/http.md shows."""
        paths = {name: form for name, form in http_reference.forms().items() if name.startswith("/")}
        self.assertGreater(len(paths), 15)
        for path, form in paths.items():
            with self.subTest(path):
                self.assertEqual(http_reference.differs(self.get(path.replace("{id}", "head")), form), "")

    def _check_errors(self):
        for path, status, words in (
            ("/lean/v0/blocks/0x12", 400, "block.root"),
            ("/lean/v0/blocks/0x" + "g" * 64, 400, "block.root"),
            ("/lean/v0/blocks/-1", 400, "invalid id"),
            ("/lean/v0/blocks/1e3", 400, "invalid id"),
            ("/lean/v0/headers/18446744073709551616", 400, "invalid id"),
            ("/lean/v0/blocks/0x" + "12" * 32, 404, "is unknown"),
            ("/lean/v0/headers/99999", 404, "no block at slot 99999"),
            ("/lean/v0/states/99999", 404, "no block at slot 99999"),
            ("/lean/v0/events", 400, "missing required query parameter: topics"),
            ("/lean/v0/events?topics=", 400, "missing required query parameter: topics"),
            ("/lean/v0/events?topics=head,aggregate", 400, "unknown topic: 'aggregate'"),
            ("/lean/v0/events?topics=head,", 400, "unknown topic: ''"),
            ("/lean/v0/events?topics=%22%0a%ff", 400, "unknown topic: '\"\n\ufffd'"),
            ("/page/nothing.js", 404, "no such file of the page"),
            ("/page/", 404, "no such path"),
            ("/lean/v0", 404, "no such path"),
            ("/lean/v0/blocks/", 404, "no such path"),
            ("/lean/v0/blocks/1/2", 404, "no such path"),
            ("/lean/v0/health/", 404, "no such path"),
            ("/lean/v0/heal%74h%", 400, "malformed"),
            ("/lean/v0/health%0", 400, "malformed"),
        ):
            answer = http_client.error(self.address, path)
            self.assertEqual(answer[0], status, (path, answer))
            self.assertIn(words, answer[1], path)
        self.assertEqual(self.get("/lean/v0/heal%74h?x=y"), {"status": "healthy", "service": "lean-rpc-api"})
        for method in ("POST", "PUT", "DELETE"):
            answer = http_client.get(self.address, "/lean/v0/health", method=method)
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET, HEAD"))

    def _check_events(self):
        events = http_client.Events(self.address, "head,block,attestation,justified_checkpoint,finalized_checkpoint")
        self.assertEqual((events.response.status, events.response.headers["Content-Type"]), (200, "text/event-stream"))
        seen = collections.defaultdict(list)
        while not all(len(seen[topic]) > 2 for topic in ("head", "block", "finalized_checkpoint")):
            topic, data, cursor = events.next()
            seen[topic].append((data, cursor))
        for data, _ in seen["head"]:
            expected = self.net.rpc.block(root=data["block"])
            self.assertEqual(data, {"slot": expected.slot, "block": expected.root, "state": expected.state_root})
            self.assertEqual(list(data), ["slot", "block", "state"])
        for data, _ in seen["block"]:
            self.assertEqual(list(data), ["slot", "block"])
        for data, _ in seen["finalized_checkpoint"]:
            self.assertEqual(list(data), ["slot", "block", "state"])
        forms = http_reference.forms()
        for topic, events_seen in seen.items():
            for data, _ in events_seen:
                self.assertEqual(http_reference.differs(data, forms[topic]), "", topic)
        voters = {data["validator_id"] for data, _ in seen["attestation"]}
        self.assertEqual(voters, {0, 1, 2, 3})
        self.assertEqual(list(seen["attestation"][0][0]["data"]), ["slot", "head", "target", "source"])

        # From an earlier event on: the same ones again.
        again = http_client.Events(self.address, "head", last_event_id=seen["head"][0][1])
        self.assertEqual(again.next(), ("head", *seen["head"][1]))
        lines = again.lines()
        self.assertEqual(lines[0], "event: head")
        self.assertTrue(lines[1].startswith('data: {"slot":'), lines)
        self.assertEqual(again.comments, [])
        # gRPC has the same event at the same cursor.
        from lean.v1 import beacon_pb2, beacon_pb2_grpc
        import grpc
        with grpc.insecure_channel(self.net.settings.address) as channel:
            stream = beacon_pb2_grpc.BeaconServiceStub(channel).StreamEvents(
                beacon_pb2.StreamEventsRequest(kinds=["HEAD"], after=seen["head"][0][1]), timeout=e2e.PATIENCE_S)
            event = next(stream).events[0]
            self.assertEqual((event.head.block.root, event.cursor), (seen["head"][1][0]["block"], seen["head"][1][1]))
            stream.cancel()
        other_run = http_client.Events(self.address, "head", last_event_id="1-1")
        other_run.next()
        self.assertEqual(other_run.comments, [": error - the id is of an earlier run, whose events are not held"])
        for stream in (events, again, other_run):
            stream.close()

    def _check_metrics(self):
        page = scrape(self.metrics_port)
        self.assertGreaterEqual(page['lean_beacon_http_requests_total{route="/lean/v0/health"}'], 4)
        self.assertGreaterEqual(page['lean_beacon_http_requests_total{route="none"}'], 10)
        self.assertEqual(page['lean_beacon_http_answers_total{status="405"}'], 3)
        self.assertEqual(page['lean_beacon_http_answers_total{status="503"}'], 0)
        self.assertGreater(page['lean_beacon_http_connections_total{result="accepted"}'], 20)
        self.assertEqual(page['lean_beacon_http_connections_total{result="refused"}'], 0)
        self.assertIn('lean_beacon_http_connections{kind="stream"}', page)
        self.assertEqual(page['lean_beacon_listener_answers{listener="http"}'], 1)

    def test_ports(self):
        """An address that is taken: fatal if it was named, logged if it is the default."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            arguments = ("run", "--genesis", self.net.genesis_dir, "--rpc-address", "127.0.0.1:0", "--http-address")
            for address, words in ((f"127.0.0.1:{taken.getsockname()[1]}", "--http-address: "),
                                   ("unix:/tmp/socket", "not served on unix sockets"), ("nonsense", "nonsense")):
                done = self.run_beacon(*arguments, address)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(words, done.stderr + done.stdout)
        # Two beacons with the default address: one of them, or another process of this machine, has it.
        beacons = [
            Process(f"default-{number}", [
                e2e.BUILD_DIR / "bin" / "lean-beacon", "run", "--genesis", self.net.genesis_dir, "--rpc-address",
                "127.0.0.1:0"
            ], self.directory / f"default-{number}.log") for number in range(2)
        ]
        for beacon in beacons:
            self.addCleanup(beacon.stop)
        logs = [self.directory / f"default-{number}.log" for number in range(2)]
        wait_until(lambda: all("beacon_started" in log.read_text(encoding="utf-8") for log in logs), e2e.PATIENCE_S,
                   "both beacons to start")
        texts = [log.read_text(encoding="utf-8") for log in logs]
        off = [text for text in texts if "http_off" in text]
        on = [text for text in texts if "http listening url=http://127.0.0.1:5058/" in text]
        self.assertEqual(len(off) + len(on), 2, texts)
        self.assertGreaterEqual(len(off), 1)
        self.assertIn("127.0.0.1:5058", off[0])
        self.assertIn("name another address with --http-address", off[0])

    def test_tls(self):
        made = certificates.make(self.directory / "tls", "beacon", "stranger")
        own = made["beacon"]
        self.net.places[0].arguments = ("--http-tls-cert", own.cert, "--http-tls-key", own.key)
        self.net.start_beacon()
        answer = http_client.get(self.address, "/lean/v0/health", authority=made["authority"].cert)
        self.assertEqual(answer.status, 200)
        with self.assertRaises(ssl.SSLCertVerificationError):
            http_client.get(self.address, "/lean/v0/health", authority=made["stranger"].cert)
        with self.assertRaises((OSError, http.client.HTTPException)):  # plaintext
            http_client.get(self.address, "/lean/v0/health")
        self.wait_for_log(0, "certificate_ends_soon tls=http")
        self._check_renewed_certificate(own)
        for key, words in (("", "needs both a certificate and its key"), (made["stranger"].key, "is not the key of")):
            arguments = ("--http-tls-cert", own.cert, *(("--http-tls-key", key) if key else ()))
            done = self.run_beacon("run", "--genesis", self.net.genesis_dir, "--rpc-address", "127.0.0.1:0",
                                   "--http-address", "127.0.0.1:0", *arguments)
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)

    def _check_renewed_certificate(self, own):
        """Files that are replaced are taken without a restart."""
        renewed = certificates.make(self.directory / "renewed", "beacon")
        for new, old in zip(renewed["beacon"], own):
            new.replace(old)

        def trusts_new():
            try:
                return http_client.get(self.address, "/lean/v0/health", authority=renewed["authority"].cert).status == 200
            except ssl.SSLCertVerificationError:
                return False

        wait_until(trusts_new, e2e.PATIENCE_S, "the new certificate to be shown")


if __name__ == "__main__":
    e2e.main()
