"""Encrypted keystores on real processes: the password comes from a file, and errors are reported."""

import subprocess

import e2e

PASSWORD = "correct horse"


class KeystoresTest(e2e.NetworkTest):
    def validator(self, *arguments):
        """Runs lean-validator to its end, without a terminal. Returns its exit code and its output."""
        done = subprocess.run(
            [str(part) for part in (e2e.BUILD_DIR / "bin" / "lean-validator", *arguments)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=e2e.PATIENCE_S,
            start_new_session=True, check=False)
        return done.returncode, done.stdout.decode()

    def password_file(self, text, name="password", mode=0o600):
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    def make_keys(self, indices="0", folder="keys"):
        password = self.password_file(PASSWORD + "\n")
        code, said = self.validator(
            "keys", "new", "--output", self.directory / folder, "--indices", indices, "--kdf", "pbkdf2",
            "--xmss-log-lifetime", e2e.XMSS_LOG_LIFETIME, "--active-slots", e2e.ACTIVE_SLOTS,
            "--password-file", password)
        self.assertEqual(code, 0, said)
        return self.directory / folder / "keystores.yaml", password

    def test_validates_with_encrypted_keys(self):
        keys, password = self.make_keys("0..3")
        net = self.make_network(clients=1)
        net.keystores = [keys]
        net.password_file = password
        net.genesis_dir = self.directory / "genesis"
        net.make_genesis(quiet=True)
        net.start()
        self.wait_for(lambda s: s.finalized.slot > 0, "finality")
        self.assertNotIn(PASSWORD, net.clients[0].log_tail(1000))

    def test_passwords_are_refused(self):
        keys, _ = self.make_keys()
        cases = {
            "wrong": (self.password_file("another", "wrong"), "wrong password"),
            "empty": (self.password_file("\n", "empty"), "the password is empty"),
            "open": (self.password_file(PASSWORD, "open", 0o644), "chmod 600"),
            "missing": (self.directory / "nowhere", "nowhere"),
        }
        for name, (file, expected) in cases.items():
            with self.subTest(name):
                code, said = self.validator("run", "--keystores", keys, "--password-file", file)
                self.assertEqual(code, 1, said)
                self.assertIn(expected, said)
        code, said = self.validator("run", "--keystores", keys)
        self.assertEqual(code, 1, said)
        self.assertIn("--password-file", said)

    def test_keys_come_and_go(self):
        keys, password = self.make_keys()
        file = keys.parent / "validator_0.json"
        code, said = self.validator("keys", "verify", "--keystores", keys, "--password-file", password)
        self.assertEqual(code, 0, said)
        other = self.directory / "other" / "keystores.yaml"
        code, said = self.validator(
            "keys", "import", "--keystores", other, "--from", file, "--indices", 0, "--from-password-file", password,
            "--password-file", password, "--kdf", "pbkdf2")
        self.assertEqual(code, 0, said)
        self.assertNotIn(PASSWORD, said)
        code, listed = self.validator("keys", "list", "--keystores", other)
        self.assertEqual(code, 0, listed)
        self.assertIn("form=encrypted", listed)
        records = self.directory / "records.json"
        delete = ("keys", "delete", "--keystores", other, "--indices", 0, "--records-output", records)
        code, said = self.validator(*delete)
        self.assertEqual(code, 1, said)
        self.assertIn("--never-signed", said)
        self.assertTrue((other.parent / "validator_0.json").exists())
        code, said = self.validator(*delete, "--never-signed")
        self.assertEqual(code, 0, said)
        self.assertFalse((other.parent / "validator_0.json").exists())
        self.assertTrue(records.exists())


if __name__ == "__main__":
    e2e.main()
