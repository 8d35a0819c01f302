"""The programs of a release build are hardened, by the binaries and the compile commands.

Debian's start files have no note of -fcf-protection, so linked programs have none either. The test therefore checks the
compile commands for this flag.
"""

import json
import os
import pathlib
import platform
import re
import subprocess
import unittest

BUILD_DIR = pathlib.Path(os.environ["LEAN_BUILD_DIR"])
PROGRAMS = ("lean-beacon", "lean-validator")


def readelf(option, program):
    return subprocess.run(["readelf", "--wide", option, BUILD_DIR / "bin" / program], stdout=subprocess.PIPE, text=True,
                          check=True).stdout


class HardeningTest(unittest.TestCase):
    def test_the_stack_is_protected(self):
        for program in PROGRAMS:
            self.assertIn("__stack_chk_fail", readelf("--dyn-syms", program), program)

    def test_buffers_are_checked(self):
        for program in PROGRAMS:
            checked = re.findall(r" (__\w+_chk)@", readelf("--dyn-syms", program))
            self.assertTrue(set(checked) - {"__stack_chk_fail"}, f"{program} calls no checked function of the C library")

    def test_addresses_are_bound_at_the_start_and_read_only(self):
        for program in PROGRAMS:
            self.assertIn("GNU_RELRO", readelf("--program-headers", program), program)
            self.assertRegex(readelf("--dynamic", program), r"BIND_NOW|FLAGS_1\).*NOW", program)

    def test_programs_load_at_any_address_and_have_no_executable_stack(self):
        for program in PROGRAMS:
            self.assertRegex(readelf("--file-header", program), r"Type: +DYN", program)
            stack = re.search(r"GNU_STACK.*? (R\w+) ", readelf("--program-headers", program))
            self.assertEqual(stack[1], "RW", program)

    def test_every_source_is_compiled_with_the_flags(self):
        flags = ["-fstack-protector-strong", "-D_FORTIFY_SOURCE=2"]
        if platform.machine() in ("x86_64", "AMD64"):
            flags.append("-fcf-protection=full")
        commands = json.loads((BUILD_DIR / "compile_commands.json").read_text(encoding="utf-8"))
        # Preloaded by tests, and part of no program.
        commands = [entry for entry in commands if "lean_clock_shift" not in entry["command"]]
        self.assertGreater(len(commands), 50)
        for entry in commands:
            for flag in flags:
                self.assertIn(f" {flag} ", entry["command"], entry["file"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
