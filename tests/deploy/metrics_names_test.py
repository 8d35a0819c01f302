"""The programs have the metrics that leanMetrics defines, with its types, labels and buckets (lean_metrics.txt). docs/metrics.md
tells why the others are missing."""

import pathlib
import re
import unittest

from metrics_docs import PAGE, PROGRAMS, documented

NAMES = pathlib.Path(__file__).with_name("lean_metrics.txt")


def lines():
    text = NAMES.read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def rows():
    """(name, type, {label: values}, buckets) of each metric that has a meaning here."""
    for line in lines():
        if not line.startswith("left out: "):
            name, kind, labels, buckets = (cell.strip() for cell in line.split("|"))
            pairs = [label.partition("=") for label in re.split("; |, ", labels) if label]
            values = {label: text.split(",") if text else [] for label, _, text in pairs}
            yield name, kind, values, [float(bound) for bound in buckets.split(", ") if bound]


def left_out():
    return {line.removeprefix("left out: ") for line in lines() if line.startswith("left out: ")}


class MetricsNamesTest(unittest.TestCase):
    def setUp(self):
        self.ours = {}
        for program in PROGRAMS:
            self.ours.update(documented(program))

    def test_types_labels_and_buckets_are_those_of_leanmetrics(self):
        self.assertEqual(len(list(rows())) + len(left_out()), 57)
        for name, kind, labels, buckets in rows():
            with self.subTest(name):
                metric = self.ours[name]
                self.assertEqual((metric.kind, metric.labels, metric.buckets), (kind, labels, buckets))

    def test_what_has_no_meaning_is_missing_with_a_reason(self):
        self.assertEqual(left_out() & set(self.ours), set())
        section = PAGE.read_text(encoding="utf-8").partition("## Names of leanMetrics that do not exist here")[2]
        self.assertEqual(set(re.findall(r"`(lean_\w+)`", section)), left_out())

    def test_our_names_begin_with_the_program(self):
        standard = {name for name, *_ in rows()}
        for program in PROGRAMS:
            for name in set(documented(program)) - standard:
                self.assertTrue(name.startswith((program.replace("-", "_") + "_", "process_")), name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
