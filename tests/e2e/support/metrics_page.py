"""The metrics of a program, as it serves them."""

import urllib.request

import e2e


def scrape(port):
    """{"name{labels}": value}, with the labels sorted as they come."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=e2e.PATIENCE_S) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}
