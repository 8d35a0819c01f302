"""Tests of deploy/lib: the lines of the live view, the verdict on finality, and the sum of test results."""

import contextlib
import io
import json
import os
import pathlib
import tempfile
import types
import unittest
import unittest.mock

import compile_alone
import devnet
import test_report
from leandev import live_view, network

ROOT_A = "0x" + "ab" * 32


def status(slot, head=0, justified=0, finalized=0, votes=0, votes_before=0, missing=(), interval=0):
    def checkpoint(number):
        return types.SimpleNamespace(root=ROOT_A, slot=number)

    return types.SimpleNamespace(
        slot=slot, interval=interval, head=checkpoint(head), justified=checkpoint(justified),
        finalized=checkpoint(finalized), safe_target=checkpoint(head), proposer_index=max(slot, 0) % 4, validator_count=4,
        votes_in_slot=votes, votes_in_previous_slot=votes_before, missing_in_previous_slot=list(missing))


class CompileAloneTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        environment = unittest.mock.patch.dict(os.environ, {"CCACHE_DIR": str(self.folder / "ccache")})
        environment.start()
        self.addCleanup(environment.stop)

    def write(self, source, header="#include <string>\n", checkout="one"):
        common = self.folder / checkout / "common"
        common.mkdir(parents=True, exist_ok=True)
        (common / "size.h").write_text(header, encoding="utf-8")
        (common / "size.cpp").write_text(source, encoding="utf-8")

    def run_on(self, checkout="one"):
        build = self.folder / checkout / "build/debug"
        build.mkdir(parents=True, exist_ok=True)
        file = self.folder / checkout / "common/size.cpp"
        entry = {"directory": str(build), "command": f"c++ -Wall -Werror -MD -MT size.cpp.o -MF size.cpp.o.d -o size.cpp.o -c {file}",
                 "file": str(file)}
        (build / "compile_commands.json").write_text(json.dumps([entry]), encoding="utf-8")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            code = compile_alone.main(build)
        return code, printed.getvalue()

    COMPILED = (0, "1 of 1 sources to compile\n1 of 1 sources compile by themselves\n")
    REMEMBERED = (0, "0 of 1 sources to compile\n1 of 1 sources compile by themselves\n")

    def test_a_source_with_its_includes_passes(self):
        self.write("#include <string>\nstd::string Name() { return {}; }\n")
        self.assertEqual(self.run_on(), self.COMPILED)
        self.assertEqual(list((self.folder / "one/build/debug").iterdir()), [self.folder / "one/build/debug/compile_commands.json"])

    def test_a_missing_include_is_reported_each_time(self):
        self.write("std::string Name() { return {}; }\n")
        for _ in range(2):
            code, printed = self.run_on()
            self.assertEqual(code, 1)
            self.assertIn("common/size.cpp does not compile by itself", printed)

    def test_a_clean_source_is_remembered_until_its_header_changes(self):
        source = '#include "size.h"\nstd::string Name() { return {}; }\n'
        self.write(source)
        self.assertEqual(self.run_on(), self.COMPILED)
        self.assertEqual(self.run_on(), self.REMEMBERED)
        self.write(source, header="")
        self.assertEqual(self.run_on()[0], 1)
        self.write(source)
        self.assertEqual(self.run_on(), self.REMEMBERED)

    def test_another_checkout_uses_what_is_remembered(self):
        source = '#include "size.h"\nstd::string Name() { return {}; }\n'
        for checkout, result in (("one", self.COMPILED), ("two", self.REMEMBERED)):
            self.write(source, checkout=checkout)
            self.assertEqual(self.run_on(checkout), result)
        self.write(source, header="", checkout="two")
        self.assertEqual(self.run_on("two")[0], 1)


class SlotHistoryTest(unittest.TestCase):
    def test_a_row_for_each_finished_slot(self):
        history = live_view.SlotHistory()
        self.assertIsNone(history.add(status(1, head=0)))
        self.assertIsNone(history.add(status(1, head=1)))
        row = history.add(status(2, head=1, votes_before=3, missing=[2]))
        self.assertEqual((row.slot, row.proposer, row.block, row.votes, row.missing), (1, 1, ROOT_A, 3, [2]))

    def test_a_slot_without_a_block(self):
        history = live_view.SlotHistory()
        history.add(status(6, head=5))
        row = history.add(status(7, head=7))
        self.assertEqual(live_view.row_line(row, 4),
                         "slot=6 head=5 justified=0 finalized=0 votes=0/4 proposer=2 block=none missing=-")


class RenderTest(unittest.TestCase):
    def lines(self, current, **more):
        settings = network.Settings(pathlib.Path("net"), pathlib.Path("build"))
        return live_view.render(settings, current, [], [("beacon", 7, None), ("validators-0", 8, -9)],
                                live_view.Palette(False), **more)

    def test_shows_what_is_asked_of_it(self):
        text = "\n".join(self.lines(status(9, head=9, justified=8, finalized=7, votes=2, votes_before=3, missing=[2],
                                           interval=1), client_of=lambda index: "validators-1"))
        for part in ("interval 1: vote", "slot 9: 2/4 ■■□□", "slot 8: 3/4 ■■■□", "missing      2 (validators-1)",
                     "ended with exit code -9", "0xabab…ab"):
            self.assertIn(part, text)

    def test_before_genesis_and_without_a_beacon(self):
        self.assertIn("genesis in about 8 s", "\n".join(self.lines(status(-2))))
        self.assertIn("waiting for the beacon", "\n".join(self.lines(None)))
        self.assertIn("has not answered for 5 s", "\n".join(self.lines(status(3), silent_s=5)))

    def test_cuts_lines_and_keeps_colours_whole(self):
        painted = live_view.Palette(True).good("abcdef")
        self.assertEqual(live_view._cut(painted, 3), "\x1b[32mabc\x1b[0m")


class FinalityWatchTest(unittest.TestCase):
    def test_judges(self):
        watch = devnet.FinalityWatch()
        watch.add(status(5))
        self.assertIn("nothing was finalized in 5 slots", watch.failure())
        watch.add(status(6, finalized=3))
        self.assertIsNone(watch.failure())
        watch.add(status(6 + devnet.STALL_SLOTS + 1, finalized=3))
        self.assertIn("finality stopped", watch.failure())


class ProgramsTest(unittest.TestCase):
    def test_only_several_beacons_need_the_engine(self):
        def programs(*arguments):
            return devnet.programs(devnet.settings_of(devnet.parse_arguments(arguments)))

        self.assertEqual(programs(), ("lean-beacon", "lean-validator"))
        self.assertEqual(programs("--beacons", "2"), ("lean-beacon", "lean-validator", "lean-p2p"))


class TestReportTest(unittest.TestCase):
    CTEST = """<testsuite><testcase name="A" classname="A" status="run"/>
      <testcase name="B" classname="B" status="fail"><failure message=""/>
        <system-out>first\nthe last words\n</system-out></testcase>
      <testcase name="C" classname="C" status="disabled"/>
      <testcase name="D" classname="D" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>
        <system-out>skipped: no root</system-out></testcase>
      <testcase name="E" classname="E" status="notrun"/></testsuite>"""
    GTEST = """<testsuites><testsuite><testcase name="A" classname="X" status="run" result="completed"/>
      <testcase name="B" classname="X" status="run" result="skipped"><skipped message="why"/></testcase>
      </testsuite></testsuites>"""

    def report(self, *contents, checks=()):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for number, content in enumerate(contents):
                path = pathlib.Path(folder, f"{number}.xml")
                path.write_text(content, encoding="utf-8")
                paths.append(str(path))
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                code = test_report.main([*(word for check in checks for word in ("--check", check)), *paths])
        return code, out.getvalue().splitlines()

    def test_adds_up(self):
        code, lines = self.report(self.CTEST, self.GTEST, checks=["format=ok", "lint=failed", "tidy=skipped"])
        self.assertEqual(code, 1)
        self.assertEqual(lines[-1], "3 passed, 3 failed, 4 skipped")
        self.assertIn("skipped: tidy (its output says why)", lines)
        self.assertIn("skipped: D (no root)", lines)
        self.assertIn("FAILED:  lint", lines)
        self.assertEqual(lines[lines.index("FAILED:  B") + 1:][:2], ["    first", "    the last words"])

    def test_a_report_cut_short_is_a_failure(self):
        code, lines = self.report(self.CTEST[:60])
        self.assertEqual((code, lines[-1]), (1, "0 passed, 1 failed, 0 skipped"))

    def test_nothing_run_is_no_success(self):
        code, lines = self.report("<testsuite/>")
        self.assertEqual((code, lines[-1]), (1, "0 passed, 0 failed, 0 skipped"))


if __name__ == "__main__":
    unittest.main()
