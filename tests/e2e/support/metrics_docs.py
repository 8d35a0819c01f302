"""The tables of docs/metrics.md, which are generated from those of the programs."""

import pathlib
import re

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "metrics.md"
PROGRAMS = ("lean-beacon", "lean-validator", "lean-p2p")


class Metric:
    """A row: kind, labels as {name: values}, whose values are empty if they are not known, and buckets."""

    def __init__(self, kind, labels, text):
        self.kind = kind
        self.labels = {}
        for label in filter(None, labels.split(",")):
            values = re.search(rf"\. {label}: ((?:`[^`]*`(?:, )?)+)", text)
            self.labels[label] = re.findall("`(.*?)`", values[1]) if values else []
        buckets = re.search(r"\. Buckets: (.*)$", text)
        self.buckets = [float(bound) for bound in buckets[1].split(", ")] if buckets else []


def documented(program):
    """{name: Metric} of a program."""
    page = PAGE.read_text(encoding="utf-8")
    table = re.search(f"<!-- metrics of {program} -->(.*)<!-- end of {program} -->", page, re.DOTALL)[1]
    rows = re.findall(r"^\| `(\w+)(?:\{([\w,]+)\})?` \| (\w+) \| (.*) \|$", table, re.MULTILINE)
    return {name: Metric(kind, labels, text) for name, labels, kind, text in rows}
