"""Every command of the book in docs/ is run, or says why it is not (pages.py describes the comments).

The pages run at the same time, each on a machine of its own, because they mostly wait. LEAN_BOOK_PAGE runs one.
"""

import concurrent.futures
import os
import pathlib
import tempfile
import unittest

import e2e
import go_programs
import machines
import pages
import scenario

AT_ONCE = 8
ONLY = os.environ.get("LEAN_BOOK_PAGE")


def name_of(page):
    return page.relative_to(pages.ROOT).as_posix()


def needs_engine(page):
    return any(isinstance(step, pages.Block) and not step.has("not run") and "lean-p2p" in step.text
               for step in pages.steps(page))


def run(page, grpcurl):
    """Runs a page. Raises ScenarioError, and machines.Unavailable with the reason why it cannot be run here."""
    if needs_engine(page) and e2e.missing_engine():
        raise machines.Unavailable(e2e.missing_engine())
    with tempfile.TemporaryDirectory(prefix="lean-book-", dir=e2e.folder_for_tests()) as folder:
        scenario.Scenario(page, pathlib.Path(folder), e2e.BUILD_DIR, grpcurl).run()


class BookTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
        cls.addClassCleanup(cls.pool.shutdown)
        program, why = go_programs.tool("grpcurl", e2e.BUILD_DIR / "bin")
        if why:
            print(f"a stand-in is used: {why}")
        grpcurl = pathlib.Path(program).parent if program else None
        cls.runs = {page: cls.pool.submit(run, page, grpcurl) for page in pages.book() if ONLY in (None, name_of(page))}

    def test_pages(self):
        for page, running in self.runs.items():
            with self.subTest(name_of(page)):
                try:
                    running.result()
                except machines.Unavailable as reason:
                    self.skipTest(str(reason))


class PagesTest(unittest.TestCase):
    """What is refused, and what counts as the same output."""

    def steps(self, *lines):
        with tempfile.NamedTemporaryFile("w", suffix=".md", encoding="utf-8") as page:
            page.write("\n".join(lines))
            page.flush()
            return pages.steps(pathlib.Path(page.name))

    def test_every_command_is_in_a_block_that_is_run_or_has_a_reason(self):
        block, = self.steps("<!-- not run: it needs a cable -->", "```sh", "ls", "```")
        self.assertEqual((block.kind, block.text, block.group("not run", "reason")), ("sh", "ls", "it needs a cable"))
        for lines in (("```", "ls", "```"), ("```bash", "ls", "```"), ("```text", "lean-beacon run", "```"),
                      ("", "    lean-beacon run"), ("<!-- not run: no block -->", "words"), ("```sh", "ls"),
                      ("<!-- fails -->", "```text", "words", "```"), ("<!-- not run: -->", "```sh", "ls", "```"),
                      ("<!-- not ran: typo -->", "```sh", "ls", "```")):
            with self.assertRaises(pages.PageError, msg=lines):
                self.steps(*lines)

    def test_output(self):
        console = "$ a \\\n  b\nx 0x12ab… of 7\n...\nend\n$ c"
        (first, shown), second = scenario.commands_and_output(console)
        self.assertEqual((first, second), ("a \\\n  b", ("c", "")))
        for said in ("x 0x77 of 12\nend\n", "x  0xffff of 1\n1\n2\nend"):
            self.assertTrue(scenario.looks_like(said, shown), said)
        for said in ("x 0x12 of 7", "y 0x12 of 7\nend", "x 0x12 of 7\nend\nmore"):
            self.assertFalse(scenario.looks_like(said, shown), said)


if __name__ == "__main__":
    e2e.main()
