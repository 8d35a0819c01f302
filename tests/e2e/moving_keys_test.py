"""The procedure of docs/moving_keys.md on real processes, and what a client refuses if a step is skipped."""

import json
import os
import subprocess

import e2e
from leandev.processes import Process

VALIDATOR = e2e.BUILD_DIR / "bin" / "lean-validator"


class MovingKeysTest(e2e.NetworkTest):
    def setUp(self):
        super().setUp()
        self.net = self.start_network(clients=4)
        self.wait_for_finality()
        self.old_keys = self.net.keystores[3]
        # The disk of another machine.
        self.new_keys = self.directory / "machine" / "keys" / "keystores.yaml"
        e2e.copy_keys(self.old_keys, self.new_keys.parent)

    def client(self, name, keystores, *arguments):
        process = Process(
            name,
            [
                *(VALIDATOR, "run", "--keystores", keystores, "--genesis", self.net.genesis_dir),
                *("--beacon", self.net.settings.address, *arguments),
            ],
            self.directory / f"{name}.log")
        self.addCleanup(process.stop)
        return process

    def end_of(self, process):
        code = process.wait(e2e.PATIENCE_S)
        said = process.log_tail(30)
        self.assertEqual(code, 1, said)
        return said

    def records(self, *arguments):
        return subprocess.run(
            [str(part) for part in (VALIDATOR, "records", *arguments)],
            capture_output=True, text=True, check=False, timeout=e2e.PATIENCE_S)

    def test_the_procedure(self):
        exported = self.directory / "records.json"
        old = ("--keystores", self.old_keys)

        # Refused while a client runs; the error names it.
        refused = self.records("export", *old, "--output", exported)
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn(f"is in use by process {self.net.clients[3].pid}", refused.stderr)
        self.assertFalse(exported.exists())
        twin = self.client("twin", self.old_keys, "--records", self.directory / "twin.sqlite")
        self.assertIn(f"is in use by process {self.net.clients[3].pid}", self.end_of(twin))

        # Stop, export.
        self.assertEqual(self.net.clients[3].stop(), 0)
        done = self.records("export", *old, "--output", exported)
        self.assertEqual(done.returncode, 0, done.stderr)
        (key,) = json.loads(exported.read_text())["data"]
        self.assertGreater(len(key["signed_leaves"]), 1)

        # Without the import.
        self.assertIn("there are no records of it here", self.end_of(self.client("forgetful", self.new_keys)))

        # Import twice, which must not matter; wait and start.
        for new in (1, 0):
            done = self.records("import", "--keystores", self.new_keys, "--input", exported)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f"imported 1 keys from {exported}: {new} new", done.stdout)
        self.wait_for_missing([3])
        moved = self.client("moved", self.new_keys)
        self.wait_for_missing([])
        self.assertIn("no second client seen", moved.log_tail(1000))
        self.assertNotIn("vote refused", moved.log_tail(1000))

        # The old keys are started again by mistake on the same machine. twins_test.py covers another machine.
        mistake = self.client("mistake", self.old_keys)
        self.assertIn(f"it is in use by process {moved.pid} of user id {os.getuid()}", self.end_of(mistake))
        self.wait_for_missing([])

    def test_what_is_wrong_with_a_file_is_said(self):
        broken = self.directory / "broken.json"
        broken.write_text('{"metadata": {"interchange_format_version": "5"}, "data": []}')
        done = self.records("import", "--records", self.directory / "none.sqlite", "--input", broken)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{broken}: metadata.interchange_format: is missing", done.stderr)
        self.assertFalse((self.directory / "none.sqlite").exists())
        self.assertEqual(self.records("import", "--input", broken).returncode, 2, "no database was named")


if __name__ == "__main__":
    e2e.main()
