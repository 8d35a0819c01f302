"""The commands of a page of the book, with the comments that say how a test runs them.

A block of commands is fenced and named `sh`, or `console` if it also shows what the commands print: its commands begin
with "$ ", and a line `...` stands for lines that are left out. Comments directly before a block, or between blocks:

    <!-- not run: REASON -->                   the block is not run
    <!-- runs on as NAME until: TEXT -->       the block is a program that runs on; `as NAME` may be missing, and the name
                                               is then the program's
    <!-- fails -->                             the block ends with an error
    <!-- output varies: REASON -->             what the block shows is not compared
    <!-- on HOST -->                           the block runs on this machine
    <!-- first files -->                       the block makes files with which other pages begin
    <!-- begins with the first files of PAGE -->      what follows runs in a new folder, after those blocks
    <!-- begins with the network of PAGE -->          the same, and after the blocks of PAGE that run on
    <!-- waits for NAME: TEXT -->              NAME prints TEXT from here on
    <!-- Ctrl-C: NAME -->                      NAME is interrupted and ends with exit code 0
"""

import dataclasses
import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
COMMANDS = ("sh", "console")
SHOWN = ("text", "yaml", "json")

LINK = re.compile(r"\]\(([\w./]+\.md)\)")
COMMENT = re.compile(r"<!-- (.*) -->")
FENCE = re.compile(r"```(\w*)")
NOTE = re.compile(r"(not run|output varies): (?P<reason>\S.*)|runs on(?: as (?P<name>[\w-]+))? until: (?P<until>.+)"
                  r"|on (?P<host>[\w.]+)|fails|first files")
BEGINS = re.compile(r"begins with the (first files|network) of ([\w.]+)")
WAITS = re.compile(r"waits for ([\w-]+): (.+)")
CTRL_C = re.compile(r"Ctrl-C: ([\w-]+)")
# Other comments concern other tests.
KNOWN = ("not ", "run", "output ", "on ", "fails", "first ", "begins ", "waits ", "Ctrl")
# What only shows a file or an answer, and what looks like a command in it.
COMMAND = re.compile(r"^(\$ |lean-\w+ |deploy/|apt-get |systemctl |curl |grpcurl )", re.MULTILINE)


@dataclasses.dataclass
class Block:
    """Commands of a page."""
    place: str
    kind: str
    text: str
    notes: dict  # by the words of a comment: its match

    def has(self, words):
        return words in self.notes

    def group(self, words, name):
        return self.notes[words][name] if words in self.notes else None


@dataclasses.dataclass
class Begin:
    what: str
    page: str


@dataclasses.dataclass
class Wait:
    place: str
    name: str
    text: str


@dataclasses.dataclass
class Interrupt:
    place: str
    name: str


class PageError(Exception):
    """A page is not in the form that this file describes."""


def book():
    """The pages of the book for those who run a node: those that its contents name before the part for developers."""
    contents = (DOCS / "README.md").read_text(encoding="utf-8").partition("For those who change the code")[0]
    pages = [(DOCS / link).resolve() for link in LINK.findall(contents)]
    return [ROOT / "README.md", *dict.fromkeys(pages)]


def steps(page):
    """The blocks, waits and interrupts of a page in their order. Raises PageError."""
    return list(_Reader(page).steps())


def beginning(begin):
    """The blocks of another page with which one begins."""
    kinds = ("first files", "runs on") if begin.what == "network" else ("first files",)
    return [step for step in steps(DOCS / begin.page) if isinstance(step, Block) and any(map(step.has, kinds))]


class _Reader:
    def __init__(self, page):
        self.page = page
        self.lines = page.read_text(encoding="utf-8").splitlines()
        self.notes = {}

    def fail(self, number, what):
        raise PageError(f"{self.place(number)}: {what}")

    def place(self, number):
        return f"{os.path.relpath(self.page, ROOT)}:{number + 1}"

    def steps(self):
        number = 0
        while number < len(self.lines):
            line = self.lines[number]
            if comment := COMMENT.fullmatch(line):
                yield from self.comment(number, comment[1])
            elif fence := FENCE.fullmatch(line.strip()):
                end = next((n for n in range(number + 1, len(self.lines)) if self.lines[n].strip() == "```"), None)
                if end is None:
                    self.fail(number, "the block has no end")
                yield from self.block(number, fence[1], "\n".join(self.lines[number + 1:end]))
                number = end
            else:
                if self.notes:
                    self.fail(number, f"there is no block after the comment {next(iter(self.notes))!r}")
                if line.startswith("    ") and not self.lines[number - 1].strip() and COMMAND.match(line.strip()):
                    self.fail(number, "commands belong into a fenced block: ```sh")
            number += 1

    def comment(self, number, text):
        if begins := BEGINS.fullmatch(text):
            yield Begin(begins[1], begins[2])
        elif waits := WAITS.fullmatch(text):
            yield Wait(self.place(number), waits[1], waits[2])
        elif interrupt := CTRL_C.fullmatch(text):
            yield Interrupt(self.place(number), interrupt[1])
        elif note := NOTE.fullmatch(text):
            words = ("not run", "output varies", "runs on", "on", "fails", "first files")
            self.notes[next(word for word in words if text.startswith(word))] = note
        elif text.startswith(KNOWN):
            self.fail(number, f"the comment {text!r} is not one that commands can have")

    def block(self, number, kind, text):
        notes, self.notes = self.notes, {}
        if kind in COMMANDS:
            yield Block(self.place(number), kind, text, notes)
        elif kind not in SHOWN:
            self.fail(number, f"a block needs a name: {', '.join(COMMANDS)} for commands, otherwise {', '.join(SHOWN)}")
        elif notes:
            self.fail(number, f"the block after the comment {next(iter(notes))!r} has no commands")
        elif COMMAND.search(text):
            self.fail(number, "the block has commands: name it sh or console")
