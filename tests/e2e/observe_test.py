"""Debian's Prometheus on a live network: every panel and alert of deploy/observe has data, and so has every panel of leanMetrics'
dashboard that has a meaning here."""

import json
import re
import subprocess
import time
import unittest
import urllib.request

import e2e
from leandev import network, observe
from leandev.processes import wait_until

SELECTOR = re.compile(r"\b((?:lean|process)_\w+|up)\b(\{[^}]*\})?")
# Names that end in _count are histograms for promtool, but this one is leanMetrics'.
ALLOWED_LINT = "lean_validators_count"
# Alerts that may fire here: the keys of tests are short, and the others fire at once when a busy machine does not run a
# program for a moment. RulesTest shows that they are silent when they should be.
MAY_FIRE = {"KeyEndsSoon", "BeaconOverloaded", "BlocksFail", "VotesFail", "IntervalsMissed"}


def for_now(expression):
    """An expression of a dashboard with values in place of its variables."""
    return (expression.replace("$network", ".*").replace("$instance", ".*").replace("$__rate_interval", "20s"))


def panels():
    """(title, expression) of our dashboards."""
    for path in sorted((observe.FOLDER / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel.get("targets", ()):
                yield f"{path.stem}: {panel['title']}", for_now(target["expr"])


def alerts():
    """(name, expression) of our alerts."""
    text = (observe.FOLDER / "alerts.yml").read_text(encoding="utf-8")
    return re.findall(r"- alert: (\w+)\n +expr: (.*)\n", text)


def upstream(left_out):
    """(panel, selector) of leanMetrics' dashboard: those that have a meaning here, or the others."""
    lines = (observe.FOLDER / "leanmetrics.txt").read_text(encoding="utf-8").splitlines()
    prefix = "left out: "
    return [tuple(line.removeprefix(prefix).split(" | ")) for line in lines
            if " | " in line and not line.startswith("#") and line.startswith(prefix) == left_out]


def selectors(expression):
    return [name + (labels or "") for name, labels in SELECTOR.findall(expression)]


def promtool(*arguments, **options):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False, **options)
    return done.returncode, done.stdout + done.stderr


@unittest.skipIf(observe.missing(), observe.missing())
class RulesTest(unittest.TestCase):
    def test_every_alert_is_tested_firing_and_silent(self):
        tests = (observe.FOLDER / "alerts_test.yml").read_text(encoding="utf-8")
        for name, _ in alerts():
            with self.subTest(name):
                self.assertRegex(tests, rf"- alertname: {name}\n.*\n +exp_alerts: \[\]")
                self.assertRegex(tests, rf"- alertname: {name}\n.*\n +exp_alerts:\n")
        code, said = promtool("test", "rules", observe.FOLDER / "alerts_test.yml")
        self.assertEqual(code, 0, said)

    def test_files_are_right(self):
        for kind, name in (("config", "prometheus.yml"), ("rules", "alerts.yml")):
            code, said = promtool("check", kind, observe.FOLDER / name)
            self.assertEqual(code, 0, said)


@unittest.skipIf(observe.missing(), observe.missing())
class ObserveTest(e2e.NetworkTest):
    def test_every_panel_and_alert_has_data(self):
        net = self.make_network(clients=2, beacons=1 if e2e.missing_engine() else 2)
        net.make_certificates()
        net.serve_metrics()
        self.prometheus = observe.Prometheus(net, network.free_port(), scrape_s=1)
        self.addCleanup(self.prometheus.stop)
        net.start()
        self.prometheus.wait()
        self.wait_for_finality()
        wait_until(lambda: len(self.prometheus.query("up == 1")) == len(net.metrics_addresses), e2e.PATIENCE_S,
                   "all programs to be scraped")
        wait_until(lambda: self.prometheus.query('lean_beacon_stored_slot > 0'), e2e.PATIENCE_S, "blocks on the disk")
        self.check_data()
        self.check_pages(net)
        firing = self.prometheus.query('ALERTS{alertstate="firing"}')
        self.assertEqual([labels for labels, _ in firing if labels["alertname"] not in MAY_FIRE], [])

    def check_data(self):
        deadline = time.monotonic() + e2e.PATIENCE_S  # for all together
        without_engine = bool(e2e.missing_engine())
        for what, expression in [*panels(), *upstream(left_out=False)]:
            if without_engine and "p2p" in expression:
                continue
            with self.subTest(what, expression=expression):
                wait_until(lambda e=expression: self.prometheus.query(e), max(1, deadline - time.monotonic()), "data")
        for what, expression in alerts():
            for selector in selectors(expression):
                if without_engine and "p2p" in selector:
                    continue
                with self.subTest(what, selector=selector):
                    self.assertTrue(self.prometheus.query(f"count({selector})"))
        for what, selector in upstream(left_out=True):
            self.assertEqual(self.prometheus.query(selector), [], what)

    def check_pages(self, net):
        """What the programs serve has the form that Prometheus wants, with help and type."""
        for name, (_, address) in net.metrics_addresses.items():
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=e2e.PATIENCE_S) as answer:
                page = answer.read().decode()
            code, said = promtool("check", "metrics", input=page)
            complaints = [line for line in said.splitlines() if not line.startswith(ALLOWED_LINT)]
            self.assertEqual((complaints, code in (0, 3)), ([], True), name)


if __name__ == "__main__":
    e2e.main()
