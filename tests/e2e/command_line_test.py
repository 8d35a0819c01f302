"""Rules for every option of every command of both programs. The test finds the options in the programs' help."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import e2e

PROGRAMS = ("lean-beacon", "lean-validator")
# Some commands would wait for a signal if a test started them by mistake.
TIMEOUT_S = 60

_OPTION = re.compile(r"^ +(?:-\w,)?(--[\w-]+)(?:\{\w+\})?(?: +(UINT|TEXT)\b)?", re.MULTILINE)


def run(arguments):
    """Runs a program with these arguments to its end. Returns the result of subprocess.run."""
    program, *rest = arguments
    return subprocess.run(
        [e2e.BUILD_DIR / "bin" / program, *rest], capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S,
        check=False, stdin=subprocess.DEVNULL, start_new_session=True)  # without a terminal


def commands(prefix):
    """Every command below `prefix`, itself included, with its options: (arguments, {option: type or None})."""
    text = run([*prefix, "--help"]).stdout
    head, _, below = text.partition("Subcommands:\n")
    yield prefix, {name: kind or None for name, kind in _OPTION.findall(head)}
    for name in re.findall(r"^  (\S+)", below, re.MULTILINE):
        yield from commands([*prefix, name])


class CommandLineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # The commands of `config` have the options of the services.
        cls.commands = [command for program in PROGRAMS for command in commands([program]) if "config" not in command[0][:-1]]

    def options(self, *kinds):
        """(command, option) for every option of these types."""
        for command, options in self.commands:
            for option, kind in options.items():
                if kind in kinds and option not in ("--help", "--version"):
                    yield command, option

    def refused(self, arguments, *words):
        """The error with which it refuses this usage; it contains these words."""
        done = run(arguments)
        said = f"{arguments}: {done.stdout}{done.stderr}"
        self.assertEqual(done.returncode, 2, said)
        for word in words:
            self.assertIn(word, done.stderr, said)
        return done.stderr

    def test_all_commands_are_found(self):
        names = {" ".join(command) for command, _ in self.commands}
        self.assertLessEqual({"lean-beacon run", "lean-beacon db export", "lean-validator keymanager delete"}, names)
        self.assertGreater(len(list(self.options("TEXT"))), 80)
        self.assertGreater(len(list(self.options("UINT"))), 8)
        self.assertGreater(len(list(self.options(None))), 8)

    def test_empty_values_are_refused_by_the_name_of_the_option(self):
        for command, option in self.options("TEXT", "UINT"):
            self.refused([*command, option, ""], f"{option}: the value is empty")
            self.refused([*command, f"{option}="], f"{option}: the value is empty")
        for command, option in self.options(None):
            self.refused([*command, f"{option}="], f"{option}: the value is empty")

    def test_the_next_option_is_no_value(self):
        for command, option in self.options("TEXT"):
            self.refused([*command, option, "--version"], f"{option}: the value is missing")

    def test_empty_elements_of_lists_are_refused(self):
        for beacons in (",", "127.0.0.1:1,", "127.0.0.1:1,,127.0.0.1:2"):
            self.refused(["lean-validator", "run", "--keystores", "k", "--beacon", beacons], "--beacon: ", "is empty")

    def addresses(self):
        """(command, option) for every option that is only an address, by its help."""
        for command, _ in self.commands:
            text = run([*command, "--help"]).stdout
            for option, description in re.findall(r"^ +(--[\w-]+)\b(.*(?:\n {20,}.*)*)", text, re.MULTILINE):
                if "HOST:PORT" in description and option != "--checkpoint":  # which may be a file
                    self.assertIn("IPv6: [HOST]:PORT", " ".join(description.split()), f"{command} {option}")
                    yield command, option

    def test_every_address_is_checked(self):
        addresses = list(self.addresses())
        self.assertEqual({option for _, option in addresses},
                         {"--beacon", "--signer", "--keymanager-address", "--metrics-address", "--address", "--listen",
                          "--rpc-address", "--http-address"})
        for command, option in addresses:
            self.refused([*command, option, "http://127.0.0.1:5052"], f"{option}: ", 'this is a URL: leave out "http://"')
            self.refused([*command, option, "::1:5052"], f"{option}: ", "an IPv6 address needs brackets")
            for address in ("127.0.0.1", "127.0.0.1:", "127.0.0.1:5052x", "127.0.0.1:65536", ":5052", "[::1]"):
                self.refused([*command, option, address], f"{option}: ", "bad address")

    def test_numbers_that_are_none_are_refused(self):
        for command, option in self.options("UINT"):
            for number in ("-1", "+1", "1e3", "99999999999999999999", "12abc", "0x10", "010", "1.0", "1 2"):
                self.refused([*command, option, number], f"{option}: ", number)

    def test_an_unknown_option_is_told_before_a_missing_one(self):
        for command, _ in self.commands:
            self.refused([*command, "--genesys", "x"], "unknown option --genesys")

    def test_what_cannot_be_printed_is_an_error(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [e2e.BUILD_DIR / "bin" / "lean-beacon", "genesis", "--help"], stdout=full, stderr=subprocess.PIPE,
                timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"standard output", done.stderr)


class MessagesTest(unittest.TestCase):
    """Errors of the programs about files."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="lean-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.password = self.folder / "password"
        self.password.touch(mode=0o600)
        self.password.write_text("correct horse", encoding="ascii")

    def keys(self, command, *arguments):
        return run(["lean-validator", "keys", command, *map(str, arguments)])

    def make_keys(self, name, *protection):
        """A list with one key, in a separate folder."""
        done = self.keys(
            "new", "--output", self.folder / name, "--indices", "0", "--xmss-log-lifetime", "8", *protection)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.folder / name / "keystores.yaml"

    def refused(self, done, *words):
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 1, said)
        for word in words:
            self.assertIn(word, said)
        return said

    def test_the_option_of_the_password_that_is_missing(self):
        encrypted = self.make_keys("a", "--password-file", self.password, "--kdf", "pbkdf2")
        plain = self.make_keys("b", "--plain")
        new = ("--keystores", self.folder / "c" / "keystores.yaml", "--indices", "0")
        done = self.keys("import", *new, "--from", encrypted.parent / "validator_0.json", "--plain")
        self.refused(done, "password of the keys as they are", "--from-password-file")
        done = self.keys("import", *new, "--from", plain.parent / "validator_0.key")
        self.refused(done, "new password", "use --password-file")
        done = self.keys("verify", "--keystores", encrypted)
        self.refused(done, "use --password-file")

    def test_times_that_never_come_are_refused(self):
        pubkeys = self.make_keys("a", "--plain")
        for option in ("--genesis-delay", "--genesis-time"):
            for number in (2**64 - 1, 2**63, 253402300800):
                genesis = self.folder / "genesis"
                done = run(["lean-beacon", "genesis", "--output", genesis, option, str(number),
                            "--xmss-log-lifetime", "8", "--pubkeys-from", pubkeys])
                self.refused(done, "beyond the year 9999")
                self.assertFalse(genesis.exists())

    def test_a_key_folder_that_is_read_only(self):
        keystores = self.make_keys("a", "--plain")
        folder = keystores.parent
        folder.chmod(0o500)
        self.addCleanup(folder.chmod, 0o700)
        # Root ignores the permissions of files unless it lacks this capability.
        prefix = ("setpriv", "--bounding-set", "-dac_override", "--") if os.geteuid() == 0 else ()
        for command in (("run", "--beacon", "127.0.0.1:1"),
                        ("keys", "delete", "--indices", "0", "--records-output", self.folder / "records",
                         "--never-signed"),
                        ("keys", "import", "--from", folder / "validator_0.key", "--indices", "1", "--plain")):
            done = subprocess.run([*prefix, e2e.BUILD_DIR / "bin" / "lean-validator", *command, "--keystores", keystores],
                                  capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
                                  stdin=subprocess.DEVNULL)
            self.refused(done, f"cannot lock the key folder {folder}, which must be writable for that", "Permission denied")

    def test_numbers_beyond_their_bounds_are_refused(self):
        pubkeys = self.make_keys("a", "--plain")
        genesis = ("lean-beacon", "genesis", "--output", str(self.folder / "genesis"), "--genesis-delay", "60",
                   "--pubkeys-from", str(pubkeys))
        keys = ("lean-validator", "keys", "new", "--output", str(self.folder / "new"), "--indices", "0", "--plain")
        run_client = ("lean-validator", "run", "--keystores", str(pubkeys))
        for command, option, numbers in (
                (genesis, "--active-epoch", (33,)), (genesis, "--slot-ms", (0, 99, 2**32 + 400)),
                (genesis, "--xmss-log-lifetime", (0, 2**32 + 8)), (keys, "--xmss-log-lifetime", (0, 2**32 + 8)),
                (keys, "--active-slots", (2**32 + 1, 2**64 - 1)), (keys, "--threads", (0, 2**32 + 1)),
                (run_client, "--slot-ms", (0, 2**64 - 1))):
            for number in numbers:
                done = run([*command, option, str(number)])
                self.assertIn(done.returncode, (1, 2), f"{command} {option} {number}: {done.stdout}{done.stderr}")
                self.assertFalse((self.folder / "genesis").exists() or (self.folder / "new").exists())

    def test_a_file_that_is_not_named_is_missing(self):
        done = run(["lean-beacon", "genesis", "--output", str(self.folder / "genesis"), "--genesis-delay", "60",
                    "--pubkeys-from", "alice="])
        self.refused(done, "--pubkeys-from alice=: the file is missing")

    def test_key_files_are_never_quoted(self):
        keystores = self.make_keys("a", "--password-file", self.password, "--kdf", "pbkdf2")
        key = keystores.parent / "validator_0.json"
        for content in ("s3cret", '{"s3cret', '{"version": s3cret}', '{"version": 4, "uuid": "s3cret"}', "- s3cret"):
            key.write_text(content, encoding="ascii")
            said = self.refused(self.keys("list", "--keystores", keystores), "validator_0.json")
            said += self.refused(self.keys("list", "--keystores", key))  # the wrong file
            self.assertNotIn("s3cret", said)
        key.write_text("", encoding="ascii")
        self.refused(self.keys("list", "--keystores", keystores), "validator_0.json is empty")

    def test_files_command_no_terminal(self):
        keystores = self.make_keys("a", "--plain")
        text = keystores.read_text(encoding="ascii")
        for escaped in ('  "\\e[2J": 1\n', '  "\\x9b2J": 1\n', "- index: \"\\e]0;title\\a\"\n"):
            keystores.write_text(text + escaped, encoding="ascii")
            said = self.refused(self.keys("list", "--keystores", keystores), f"{keystores}:5: ")
            self.assertFalse(set(said) & {"\x1b", "\x07", "\x9b"}, said)

    def test_unknown_fields_are_refused_with_file_and_line(self):
        keystores = self.make_keys("a", "--plain")
        text = keystores.read_text(encoding="ascii")
        keystores.write_text(f"{text}  enabled: false\n", encoding="ascii")
        for command in (["keys", "list"], ["keys", "verify"], ["run"]):
            done = run(["lean-validator", *command, "--keystores", str(keystores)])
            self.refused(done, f"{keystores}:5: ", "enabled")
        keystores.write_text(f"{text}---\n{text}", encoding="ascii")
        self.refused(self.keys("list", "--keystores", keystores), f"{keystores}:7: another document")


if __name__ == "__main__":
    e2e.main()
