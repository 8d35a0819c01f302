#!/usr/bin/python3
"""Draws a flame graph: `perf script -i perf.data | flame_graph.py --title TEXT > graph.svg`.

Each sample is a stack of calls. A box is a function with all that it called above it; its width is its share of the
samples. The lowest boxes are the threads, by name.
"""

import argparse
import html
import re
import sys

WIDTH = 1200  # pixels
ROW = 17
LETTER = 6.6  # width of a character
LEAST_WIDTH = 0.6  # of a box that is drawn
LONGEST_NAME = 120
HEAD = 40  # height of the title

# "lean-beacon 4711 123.456: 1000 cpu-clock:" begins a sample, "ffff81 symbol+0x1 (library)" is one of its calls.
SAMPLE = re.compile(r"^(\S.*?)\s+\d+(?:/\d+)?\s+(?:\[\d+\]\s+)?[\d.]+:")
CALL = re.compile(r"^\s+[0-9a-f]+\s+(.+?)(?:\+0x[0-9a-f]+)?\s+\((.*)\)\s*$")


class Box:
    """A function in the context of its callers."""

    def __init__(self):
        self.samples = 0
        self.calls = {}  # by name

    def add(self, stack):
        """`stack`: names, the outermost first."""
        box = self
        box.samples += 1
        for name in stack:
            box = box.calls.setdefault(name, Box())
            box.samples += 1

    def depth(self, least_samples):
        below = [call.depth(least_samples) for call in self.calls.values() if call.samples >= least_samples]
        return 1 + max(below, default=0)


def plain_name(symbol, library):
    """A symbol without template arguments and parameters; the library's name where the symbol is unknown."""
    if symbol == "[unknown]":
        return library.rsplit("/", 1)[-1]
    symbol = symbol.replace("(anonymous namespace)::", "").replace("operator()", "operator")
    name, level = "", 0
    for letter in symbol.replace("->", "\0").replace("operator<", "operator\1"):
        level += letter == "<"
        if level == 0:
            if letter == "(":
                break
            name += letter
        level -= letter == ">"
    name = name.replace("\0", "->").replace("\1", "<").strip()
    # Without the type that it returns.
    return re.split(r"(?<!operator) ", name)[-1][:LONGEST_NAME] or symbol[:LONGEST_NAME]


def read_samples(lines):
    """The tree of all samples."""
    root, thread, calls = Box(), None, []

    def end():
        nonlocal thread
        if thread is not None:
            root.add([thread, *reversed(calls)])
        thread = None

    for line in lines:
        if begin := SAMPLE.match(line):
            end()
            thread, calls = begin.group(1), []
        elif call := CALL.match(line):
            name = plain_name(*call.groups())
            # Calls within a library without symbols are one box.
            if not calls or calls[-1] != name:
                calls.append(name)
    end()
    return root


def colour(name):
    """By name, so that graphs can be compared: orange to yellow, the kernel's and libraries' in grey blue."""
    number = sum(ord(letter) * (place + 1) for place, letter in enumerate(name)) % 55
    if name.startswith(("lean::", "lean-")):
        return f"rgb({205 + number},{80 + 2 * number},{30 + number})"
    return f"rgb({150 + number},{165 + number},{190 + number})"


def draw(root, title):
    """The graph as SVG."""
    least = max(1, root.samples * LEAST_WIDTH / WIDTH)
    height = HEAD + ROW * root.depth(least) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fffdf8"/>',
        f'<text x="{WIDTH / 2:g}" y="24" font-size="15" text-anchor="middle">{html.escape(title)}</text>',
    ]

    def box(name, content, x, level):
        width = WIDTH * content.samples / root.samples
        y = height - 4 - ROW * (level + 1)
        share = 100 * content.samples / root.samples
        letters = int((width - 4) / LETTER)
        shown = name.removeprefix("lean::beacon::").removeprefix("lean::")
        shown = shown if len(shown) <= letters else shown[:max(0, letters - 2)] + ".."
        parts.append(f'<g><title>{html.escape(name)}: {share:.1f} %</title>'
                     f'<rect x="{x:.1f}" y="{y}" width="{max(width - 0.4, 0.2):.1f}" height="{ROW - 1}" '
                     f'fill="{colour(name)}" rx="1"/>')
        if letters >= 4:
            parts.append(f'<text x="{x + 3:.1f}" y="{y + 12}">{html.escape(shown)}</text>')
        parts.append("</g>")
        for called, below in sorted(content.calls.items()):
            if below.samples >= least:
                box(called, below, x, level + 1)
            x += WIDTH * below.samples / root.samples

    box("all", root, 0.0, 0)
    return "\n".join([*parts, "</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--title", default="processor time")
    options = parser.parse_args()
    root = read_samples(sys.stdin)
    if root.samples == 0:
        sys.exit("flame_graph.py: no samples on standard input")
    sys.stdout.write(draw(root, options.title))


if __name__ == "__main__":
    main()
