"""The programs serve exactly the metrics that docs/metrics.md lists."""

import itertools
import re
import time

import e2e
from leandev import network
from leandev.processes import wait_until
from metrics_docs import documented
from metrics_page import scrape


# Of programs with certificates (certificates_test.py), which these are not.
OF_CERTIFICATES = {"lean_beacon_certificate_end_seconds", "lean_validator_certificate_end_seconds"}
LINKED = {f'{name}{{client="lean-p2p"}}' for name in ("lean_connected_peers", "lean_gossip_mesh_peers")}
GOSSIP_ITEMS = {f'lean_beacon_gossip_items_total{{direction="{direction}",kind="{kind}"}}'
                for direction in ("in", "out") for kind in ("block", "vote")}
GOSSIP_SIZES = {"lean_gossip_block_size_bytes", "lean_gossip_attestation_size_bytes"}


def combinations(values, name, kind):
    """The values of the labels of each series of a metric."""
    series = re.compile(name + ("_count" if kind == "histogram" else "") + r"(?:\{(.*)\})?")
    return {tuple(re.findall('="(.*?)"', match[1] or "")) for match in map(series.fullmatch, values) if match}


def scrape_when(port, condition, what):
    """A page that meets the condition. On a busy machine a program may be behind for a moment."""

    def met():
        page = scrape(port)
        return page if condition(page) else None

    return wait_until(met, e2e.PATIENCE_S, what)


def disconnections(page):
    return [value for name, value in page.items() if name.startswith("lean_peer_disconnection_events_total")]


def families(values, known):
    """The names of the metrics; those of the series of a histogram are not in `known`."""
    names = {re.match(r"\w+", name)[0] for name in values}
    return {name if name in known else re.sub("_(bucket|sum|count)$", "", name) for name in names}


class MetricsTest(e2e.NetworkTest):
    def test_names_and_values(self):
        net = self.make_network(clients=1)
        beacon_port, client_port = network.free_port(), network.free_port()
        net.places[0].arguments = ("--metrics-address", beacon_port)
        net.places[0].http_address = f"127.0.0.1:{network.free_port()}"
        net.client_arguments = ("--metrics-address", client_port)
        self.started = time.time()
        net.start()
        self.wait_for_finality()
        ready = f'lean_validator_beacon_ready{{beacon="{net.settings.address}"}}'
        beacon = scrape_when(
            beacon_port, lambda page: page["lean_beacon_synced"] == 1 and page["lean_beacon_sync_lag_slots"] == 0 and
            page["lean_beacon_stored_slot"] > 0 and page["lean_safe_target_slot"] > 0, "a beacon in sync")
        client = scrape_when(client_port, lambda page: page[ready] == 1, "a client whose beacon is ready")

        status = net.rpc.status()
        self.assertGreater(beacon["lean_beacon_finalized_slot"], 0)
        self.assertLessEqual(beacon["lean_beacon_head_slot"], status.slot)
        self.assertGreater(beacon['lean_beacon_imported_total{kind="block"}'], 1)
        self.assertGreater(beacon['lean_beacon_signatures_total{result="right"}'], 1)
        self.assertEqual(beacon['lean_beacon_signatures_total{result="wrong"}'], 0)
        self.assertEqual(beacon['lean_beacon_peers{direction="in"}'], 0)
        self.assertEqual(beacon["lean_beacon_storage_failed"], 0)
        self.assertLessEqual(beacon["lean_beacon_stored_slot"], beacon["lean_beacon_head_slot"])
        self.assertEqual(beacon['lean_beacon_equivocations_total{kind="vote"}'], 0)

        for listener in ("rpc", "metrics"):
            self.assertEqual(beacon[f'lean_beacon_listener_answers{{listener="{listener}"}}'], 1)
        self.assertEqual(client['lean_validator_listener_answers{listener="metrics"}'], 1)

        # Under the names of leanMetrics.
        self.assertEqual(beacon["lean_head_slot"], beacon["lean_beacon_head_slot"])
        self.assertEqual(beacon["lean_latest_finalized_slot"], beacon["lean_beacon_finalized_slot"])
        self.assertGreaterEqual(beacon["lean_current_slot"], beacon["lean_safe_target_slot"])
        for status, value in (("idle", 0), ("syncing", 0), ("synced", 1)):
            self.assertEqual(beacon[f'lean_node_sync_status{{status="{status}"}}'], value)
        self.assertGreater(beacon["lean_pq_sig_attestation_signatures_valid_total"], 1)
        self.assertEqual(beacon["lean_pq_sig_attestation_signatures_invalid_total"], 0)
        self.assertEqual(beacon["lean_attestations_valid_total"], beacon['lean_beacon_imported_total{kind="vote"}'])

        self.assertGreater(client['lean_validator_blocks_total{result="accepted"}'], 1)
        self.assertGreater(client['lean_validator_votes_total{result="accepted"}'], 3)
        self.assertEqual(client['lean_validator_keys{state="active"}'], 4)
        self.assertGreater(client['lean_validator_key_slots_left{validator="0"}'], e2e.ACTIVE_SLOTS / 2)
        for duty in ("block", "votes"):
            for stage in ("build", "sign", "submit"):
                self.assertGreater(
                    client[f'lean_validator_duty_stage_seconds_count{{duty="{duty}",stage="{stage}"}}'], 1)

        for program, page in (("lean-beacon", beacon), ("lean-validator", client)):
            self.assertEqual(families(page, documented(program)), set(documented(program)) - OF_CERTIFICATES, program)
            for name, metric in documented(program).items():
                expected = set(itertools.product(*metric.labels.values()))
                with self.subTest(name):
                    if metric.kind != "gauge":
                        self.assertEqual(combinations(page, name, metric.kind), expected, "exist from the start")
                    elif re.search("_(queue|cache)_(items|bytes)$", name):
                        self.assertEqual(combinations(page, name, metric.kind), expected)
            self.assertLess(page["process_open_fds"], page["process_max_fds"])
            self.assertGreater(page["process_threads"], 1)
            self.assertGreater(page["process_virtual_memory_bytes"], page["process_resident_memory_bytes"])
            self.assertGreater(page["process_resident_memory_bytes"], 1 << 20)
            self.assertGreater(page["process_cpu_seconds_total"], 0)
            self.assertLess(abs(page["process_start_time_seconds"] - self.started), e2e.PATIENCE_S)


class NetworkMetricsTest(e2e.NetworkTest):
    def test_links_and_gossip(self):
        net = self.make_network(clients=2, beacons=2)
        ports = [network.free_port(), network.free_port()]
        for place, port in zip(net.places, ports):
            place.arguments = ("--metrics-address", port)
        # One link, dialed by the second node.
        net.places[0].dials = []
        net.start()
        self.wait_for(lambda s: s.peers == 1, "the beacons to be linked")
        self.wait_for_finality()
        first, second = (
            scrape_when(port, lambda page: all(page[name] == 1 for name in LINKED) and
                        all(page[name] > 0 for name in GOSSIP_ITEMS), "a link with items in both directions")
            for port in ports)
        self.assertEqual(first['lean_beacon_peers{direction="in"}'], 1)
        self.assertEqual(first['lean_beacon_peers{direction="out"}'], 0)
        self.assertEqual(second['lean_beacon_peers{direction="out"}'], 1)
        for page in (first, second):
            for direction in ("in", "out"):
                self.assertGreater(page[f'lean_beacon_network_bytes_total{{direction="{direction}"}}'], 0)
            offences = [value for name, value in page.items() if name.startswith("lean_beacon_peer_offences_total")]
            self.assertEqual(offences, [0] * 5)
            self.assertEqual(page["lean_beacon_peer_bans_total"], 0)

            for name in GOSSIP_SIZES:
                self.assertGreater(page[f"{name}_count"], 0)
                self.assertGreater(page[f"{name}_sum"], page[f"{name}_count"] * 3000, "a signature each")
        begun = 'lean_peer_connection_events_total{direction="%s",result="success"}'
        # One link, before which a busy machine may have lost others.
        self.assertEqual((first[begun % "inbound"], first[begun % "outbound"]), (1 + sum(disconnections(first)), 0))
        self.assertEqual((second[begun % "inbound"], second[begun % "outbound"]), (0, 1 + sum(disconnections(second))))

        # Bytes of a link that has ended still count.
        sent = first['lean_beacon_network_bytes_total{direction="out"}']
        net.engines[1].kill()
        self.wait_for(lambda s: s.peers == 0, "the link to end")
        after = scrape_when(ports[0], lambda page: page['lean_connected_peers{client="lean-p2p"}'] == 0,
                            "the end of the link in the metrics")
        self.assertGreaterEqual(after['lean_beacon_network_bytes_total{direction="out"}'], sent)
        self.assertEqual(after['lean_beacon_peers{direction="in"}'], 0)
        ended = disconnections(after)
        self.assertEqual((sum(ended), len(ended)), (after[begun % "inbound"], 8))


if __name__ == "__main__":
    e2e.main()
