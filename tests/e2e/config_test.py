"""Flags, configuration file and environment: every option of `run` and of `sign-server` is a setting under the same name in all
three places, and `config check` tells which of them counts."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import e2e
from leandev import network
from leandev.processes import Process, wait_until

# Program, command, the check of its settings, and the prefix of the variables.
SERVICES = (("lean-beacon", "run", "check", "LEAN_BEACON_"), ("lean-validator", "run", "check", "LEAN_VALIDATOR_"),
            ("lean-validator", "sign-server", "check-sign-server", "LEAN_VALIDATOR_"))
TIMEOUT_S = 60
# What each service needs, and values that its checks accept.
LEAST = {"lean-beacon run": {"genesis": "/genesis"}, "lean-validator run": {"keystores": "/keystores.yaml"},
         "lean-validator sign-server": {"keystores": "/k", "genesis": "/g", "records": "/r", "listen": "unix:/s"}}
TOGETHER = {"keep-slots": {"data": "/data"}, "checkpoint-tls-ca": {"checkpoint": "/file"}, "signer": {"keystores": None}}

_OPTION = re.compile(r"^ +(?:-\w,)?--([\w-]+)(\{\w+\})?(?: +(UINT|TEXT)\S*)?(.*(?:\n {20,}.*)*)", re.MULTILINE)


def check(program, arguments=(), environment=None, name="check"):
    return subprocess.run([e2e.BUILD_DIR / "bin" / program, "config", name, *arguments], capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False, env={**os.environ, **(environment or {})})


def settings_of(program, command):
    """(name, a value that it accepts) of every option of a service in its help."""
    for level in (command,), ():
        done = subprocess.run([e2e.BUILD_DIR / "bin" / program, *level, "--help"], capture_output=True, text=True, check=True)
        for name, flag, kind, description in _OPTION.findall(done.stdout.split("Subcommands:")[0]):
            if name in ("help", "version", "config"):
                continue
            choice = re.search(r"\{([\w-]+),", description) or re.search(rf"--{name} \S*\{{([\w-]+),", done.stdout)
            if flag or not kind:
                yield name, "true"
            elif choice:
                yield name, choice[1]
            elif kind == "UINT":
                yield name, "5000"
            elif name == "network-engine":
                yield name, "unix:/engine"
            elif "HOST:PORT" in description:
                yield name, "127.0.0.1:7001"
            else:
                yield name, "/a/path"


class ConfigTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="lean-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "settings.yaml"

    def write(self, settings):
        self.file.write_text("".join(f"{name}: {value}\n" for name, value in settings.items() if value is not None))
        return ["--config", self.file]

    def expect(self, done, name, value, origin):
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, rf"(?m)^{name}: \"?{re.escape(value)}\"? +# {origin}")

    def test_every_option_is_a_setting_of_the_file_and_of_the_environment(self):
        for program, command, checks, prefix in SERVICES:
            settings = dict(settings_of(program, command))
            self.assertGreater(len(settings), 10)
            for name, value in settings.items():
                with self.subTest(f"{program} {command} {name}"):
                    others = {**LEAST[f"{program} {command}"], **TOGETHER.get(name, {})}
                    others.pop(name, None)
                    done = check(program, self.write({**others, name: value}), name=checks)
                    self.expect(done, name, value, re.escape(str(self.file)))
                    variable = prefix + name.upper().replace("-", "_")
                    done = check(program, self.write(others), {variable: value}, checks)
                    self.expect(done, name, value, "the environment")

    def test_an_option_comes_before_the_environment_and_this_before_the_file(self):
        arguments = self.write({"genesis": "/file", "data": "/file", "name": "file"})
        done = check("lean-beacon", [*arguments, "--genesis", "/option"],
                     {"LEAN_BEACON_GENESIS": "/environment", "LEAN_BEACON_DATA": "/environment"})
        self.expect(done, "genesis", "/option", "an option")
        self.expect(done, "data", "/environment", "the environment")
        self.expect(done, "name", "file", re.escape(str(self.file)))
        self.expect(done, "rpc-address", "127.0.0.1:5052", "default")

    def test_what_it_prints_is_a_file_with_the_same_effect(self):
        done = check("lean-validator", [*self.write({"keystores": "/k"}), "--beacon", "127.0.0.1:1,127.0.0.1:2", "--broadcast"])
        self.file.write_text(done.stdout)
        again = check("lean-validator", ["--config", self.file])
        value = lambda text: [line.partition(" #")[0].rstrip() for line in text.splitlines() if not line.startswith("#")]
        self.assertEqual(value(again.stdout), value(done.stdout))

    def test_unknown_and_contradictory_settings_are_refused(self):
        for settings, environment, words in (
                ({"genesis": "g", "rpc-adress": "x"}, {}, (":2: rpc-adress: unknown setting (did you mean rpc-address?)",)),
                ({"genesis": "g"}, {"LEAN_BEACON_KEEP_SLOT": "1"}, ("did you mean LEAN_BEACON_KEEP_SLOTS?",)),
                ({"genesis": "g", "keep-slots": 9}, {}, ("--keep-slots requires --data", ":2")),
                ({"genesis": "g", "rpc-address": "http://x"}, {}, ("leave out", ":2")),
                ({"genesis": "g", "log-level": "loud"}, {}, ("--log-level", ":2")), ({}, {}, ("--genesis is required",))):
            for command in (("config", "check"), ("run",)):
                self.write(settings)
                done = subprocess.run([e2e.BUILD_DIR / "bin" / "lean-beacon", *command, "--config", self.file],
                                      capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
                                      env={**os.environ, **environment})
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                for word in words:
                    self.assertIn(word, done.stderr)
        done = check("lean-validator", [*self.write({"keystores": "k"}), "--signer", "unix:/s"])
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"--keystores is in {self.file}:1", done.stderr)

    def test_a_file_that_names_a_secret_shows_its_path_alone(self):
        password = self.folder / "password"
        password.write_text("s3cret")
        done = check("lean-validator", self.write({"keystores": "/k", "password-file": password}))
        self.expect(done, "password-file", str(password), re.escape(str(self.file)))
        self.assertNotIn("s3cret", done.stdout + done.stderr)
        # A secret in place of the file of settings is not quoted.
        done = check("lean-validator", ["--config", password])
        self.assertEqual(done.returncode, 2)
        self.assertNotIn("s3cret", done.stdout + done.stderr)

    def test_all_lines_are_json_if_asked(self):
        done = subprocess.run([e2e.BUILD_DIR / "bin" / "lean-beacon", "run", *self.write({"genesis": self.folder / "none"}),
                               "--log-format", "json"], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, 1)
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        self.assertEqual(lines[-1]["level"], "error")
        self.assertIn(str(self.folder / "none"), lines[-1]["message"])

    def test_a_beacon_starts_from_the_environment_and_a_file(self):
        keys = network.make_keys(e2e.BUILD_DIR, self.folder / "keys", range(1), 8, 64, quiet=True)
        genesis = self.folder / "genesis"
        subprocess.run([e2e.BUILD_DIR / "bin" / "lean-beacon", "genesis", "--output", genesis, "--genesis-delay", "3600",
                        "--xmss-log-lifetime", "8", "--pubkeys-from", keys], check=True, capture_output=True)
        address = f"127.0.0.1:{network.free_port()}"
        self.write({"genesis": genesis, "data": self.folder / "chain", "rpc-address": address})
        log = self.folder / "beacon.log"
        beacon = Process("beacon", [e2e.BUILD_DIR / "bin" / "lean-beacon", "run"], log,
                         prefix=["env", f"LEAN_BEACON_CONFIG={self.file}", "LEAN_BEACON_NAME=of-the-environment"])
        self.addCleanup(beacon.stop)
        wait_until(lambda: "beacon_started name=of-the-environment" in log.read_text(), e2e.PATIENCE_S, "the beacon to start")
        self.assertIn(address, log.read_text())
        self.assertTrue((self.folder / "chain").is_dir())
        for level, event in (("warn,sync=debug", 'log_level_changed level="warn,sync=debug"'), ("loud", "settings_refused"),
                             ("info", 'log_level_changed level="info"')):
            self.write({"genesis": genesis, "rpc-address": address, "log-level": level})
            wait_until(lambda event=event: event in log.read_text(), e2e.PATIENCE_S, f"the beacon to read its level {level}")


if __name__ == "__main__":
    e2e.main()
