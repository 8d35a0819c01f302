"""`cmake --install`, man pages and completion of bash."""

import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "lib"))
import command_help  # noqa: E402

BUILD_DIR = pathlib.Path(os.environ["LEAN_BUILD_DIR"])
PAGES = BUILD_DIR / "pages"
PROGRAMS = [name for name in ("lean-beacon", "lean-validator", "lean-p2p") if (PAGES / f"{name}.1.gz").is_file()]


def complete(program, *words):
    """What bash offers after these words; the last is the one to complete."""
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_${1//-/_}"; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", script, "bash", PAGES / program, program, *words], capture_output=True, text=True,
                          check=True, cwd=ROOT)
    return set(done.stdout.split())


class InstallTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="lean-install-")
        self.addCleanup(folder.cleanup)
        self.prefix = pathlib.Path(folder.name) / "usr"

    def install(self):
        subprocess.run(["cmake", "--install", BUILD_DIR, "--prefix", self.prefix], check=True, capture_output=True)

    def test_it_installs_programs_units_pages_and_completion(self):
        self.install()
        for program in PROGRAMS:
            for path in (f"bin/{program}", f"share/man/man1/{program}.1.gz", f"share/bash-completion/completions/{program}",
                         f"share/doc/{program}/copyright", f"lib/sysusers.d/{program}.conf"):
                self.assertTrue((self.prefix / path).is_file(), path)
            unit = (self.prefix / "lib" / "systemd" / "system" / f"{program}.service").read_text()
            self.assertIn(f"ExecStart={self.prefix}/bin/{program} ", unit)
            self.assertIn(f"{self.prefix}/etc/lean/", unit)
        self.assertTrue((self.prefix / "share/doc/lean-beacon/docs/configuration.md").is_file())
        subprocess.run([self.prefix / "bin" / "lean-beacon", "config", "check", "--config",
                        self.prefix / "etc/lean/beacon.yaml"], check=True, capture_output=True)

    def test_it_keeps_settings_that_exist(self):
        self.install()
        settings = self.prefix / "etc/lean/beacon.yaml"
        settings.write_text("name: mine\n")
        self.install()
        self.assertEqual(settings.read_text(), "name: mine\n")


class PagesTest(unittest.TestCase):
    def commands(self):
        for program in PROGRAMS:
            yield program, list(command_help.every(command_help.read_command(BUILD_DIR / "bin" / program)))

    def test_every_command_and_option_is_in_the_man_page(self):
        for program, commands in self.commands():
            page = gzip.decompress((PAGES / f"{program}.1.gz").read_bytes()).decode().replace("\\-", "-")
            self.assertTrue(page.startswith(f".TH {program.upper()} 1 "))
            for command in commands:
                if command.path:
                    self.assertIn(f"\n.SS {' '.join(command.path)}\n", page)
                for option in command.options:
                    self.assertIn(f"\\fB--{option.name}\\fR", page, command.path)
                    self.assertTrue(option.description, f"{command.path} --{option.name}")
            self.assertGreater(sum(len(command.options) for command in commands), 15)

    def test_every_option_of_the_help_is_found(self):
        for program, commands in self.commands():
            for command in commands:
                text = command_help.help_of(BUILD_DIR / "bin" / program, command.path)
                names = set(re.findall(r"^ +(?:-\w, ?)?--([\w-]+)", text, re.MULTILINE))
                self.assertEqual(names, {option.name for option in command.options}, command.path)

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_man_pages_have_no_errors(self):
        for program in PROGRAMS:
            page = gzip.decompress((PAGES / f"{program}.1.gz").read_bytes())
            done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z"], input=page, capture_output=True, check=True)
            self.assertEqual(done.stderr.decode(), "")

    def test_bash_completes_every_command_and_option(self):
        for program, commands in self.commands():
            for command in commands:
                offered = complete(program, *command.path, "")
                expected = {f"--{option.name}" for option in command.options} | {below.path[-1] for below in command.commands}
                self.assertLessEqual(expected - {"--version"}, offered, command.path)

    def test_bash_completes_values_and_files(self):
        self.assertEqual(complete("lean-beacon", "--log-level", "d"), {"debug"})
        self.assertEqual(complete("lean-beacon", "run", "--log-level", ""), {"debug", "info", "warn", "error"})
        self.assertEqual(complete("lean-beacon", "run", "--genesis", "READ"), {"README.md"})
        self.assertEqual(complete("lean-beacon", "db", "exp"), {"export"})
        self.assertEqual(complete("lean-beacon", "run", "--keep-s"), {"--keep-slots"})
        self.assertEqual(complete("lean-beacon", "run", "--data", "run", "--keep-s"), {"--keep-slots"})


if __name__ == "__main__":
    if "lean-beacon" not in PROGRAMS:
        print("skipped: the target lean-pages was not built")
        sys.exit(77)
    unittest.main(verbosity=2)
