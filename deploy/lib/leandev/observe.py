"""Prometheus for a network: it scrapes all programs that serve metrics and evaluates the alerts of deploy/observe."""

import json
import pathlib
import shutil
import urllib.parse
import urllib.request

from leandev.processes import Process, wait_until

PROGRAM = "prometheus"
FOLDER = pathlib.Path(__file__).resolve().parents[3] / "deploy" / "observe"
# A scrape takes a few milliseconds.
SCRAPE_S = 2


def missing():
    """Why there can be no Prometheus; empty: there can be."""
    return "" if shutil.which(PROGRAM) else "prometheus is not installed: install Debian's package prometheus"


def configuration(network, scrape_s):
    """The text of Prometheus' configuration file. JSON is YAML, too."""
    jobs = {}
    for job, address in network.metrics_addresses.values():
        jobs.setdefault(job, []).append(address)
    labels = {"network": network.settings.directory.name}
    return json.dumps({
        "global": {"scrape_interval": f"{scrape_s}s", "evaluation_interval": f"{scrape_s}s"},
        "rule_files": [str(FOLDER / "alerts.yml")],
        "scrape_configs": [{"job_name": job, "static_configs": [{"targets": targets, "labels": labels}]}
                           for job, targets in jobs.items()],
    }, indent=1)


class Prometheus:
    """A running Prometheus with its data in the network's folder. The network serves metrics (Network.serve_metrics)."""

    def __init__(self, network, port, scrape_s=SCRAPE_S):
        folder = network.settings.directory / PROGRAM
        folder.mkdir()
        config = folder / "prometheus.yml"
        config.write_text(configuration(network, scrape_s), encoding="utf-8")
        self.url = f"http://{network.settings.host}:{port}"
        self.process = Process(PROGRAM, [
            PROGRAM, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={network.settings.host}:{port}", "--storage.tsdb.retention.time=1d",
            "--log.level=warn",
        ], folder.parent / f"{PROGRAM}.log")

    def wait(self, timeout_s=60):
        """Waits until it answers."""
        wait_until(self._ready, timeout_s, f"{PROGRAM} to answer on {self.url}; its log ends:\n{self.process.log_tail()}")

    def _ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5):
                return True
        except OSError:
            return False

    def query(self, expression):
        """The series of an expression now: [(labels, value)]."""
        url = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            result = json.load(answer)["data"]["result"]
        return [(series["metric"], float(series["value"][1])) for series in result]

    def stop(self):
        self.process.stop()
