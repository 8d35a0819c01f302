"""The files that lean-validator writes for others: keystores of EIP-8310, records of EIP-3076 and both in one file are read
by an independent reader (support/keystores.py). What may not sign is refused by `run`.
"""

import json
import shutil
import subprocess

import e2e
import keystores as reader

ARCHIVE = e2e.ROOT / "tests" / "e2e" / "old_data" / "863be51.tar.xz"
VALIDATOR = e2e.BUILD_DIR / "bin" / "lean-validator"
PASSWORD = "Ünïcode ﬁt"  # is changed by normalization
SLOTS = 32


class KeystoreFormatsTest(e2e.NetworkTest):
    def setUp(self):
        super().setUp()
        self.password = self.directory / "password"
        self.password.write_text(PASSWORD + "\n", encoding="utf-8")
        self.password.chmod(0o600)

    def run_validator(self, *arguments):
        return subprocess.run(
            [str(part) for part in (VALIDATOR, *arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=e2e.PATIENCE_S, check=False)

    def validator(self, *arguments):
        """Runs lean-validator to its end, which must be a success. Returns its output."""
        done = self.run_validator(*arguments)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def refused(self, *arguments):
        """The same for an error."""
        done = self.run_validator(*arguments)
        self.assertEqual(done.returncode, 1, done.stdout)
        return done.stdout

    def make_keys(self, folder, kdf="pbkdf2"):
        keys = self.directory / folder / "keystores.yaml"
        self.validator(
            "keys", "new", "--output", keys.parent, "--indices", "0..1", "--xmss-log-lifetime", 8, "--active-slots", SLOTS,
            "--kdf", kdf, "--password-file", self.password)
        return keys

    def sign_up_to(self, keys, slot):
        """Puts a signed slot with its root into the records of all keys."""
        listed = self.validator("keys", "list", "--keystores", keys)
        pubkeys = [line.split("pubkey=")[1].split()[0] for line in listed.splitlines()]
        file = self.directory / "signed.json"
        file.write_text(json.dumps({
            "metadata": {"interchange_format_version": "5", "genesis_validators_root": "0x" + "00" * 32},
            "data": [{
                "pubkey": pubkey, "signed_attestations": [],
                "signed_blocks": [{"slot": str(slot), "signing_root": "0x" + "ab" * 32}, {"slot": str(slot - 1)}]}
                for pubkey in pubkeys]}), encoding="utf-8")
        self.validator("records", "import", "--keystores", keys, "--input", file)
        return pubkeys

    def records(self, keys, name="records.json", *arguments):
        file = self.directory / name
        file.unlink(missing_ok=True)
        self.validator("records", "export", "--keystores", keys, "--output", file, *arguments)
        return file

    def test_another_reader_opens_our_keystores(self):
        for kdf in ("scrypt", "argon2id", "pbkdf2"):
            with self.subTest(kdf):
                keys = self.make_keys(f"keys-{kdf}", kdf)
                keystore = reader.load(keys.parent / "validator_1.json")
                self.assertEqual(keystore["crypto"]["kdf"]["function"], kdf)
                self.assertEqual(len(bytes.fromhex(keystore["crypto"]["cipher"]["message"])), 32 + 16)
                reader.read_keystore(keystore, PASSWORD)
                with self.assertRaises(reader.Refused):
                    reader.read_keystore(keystore, "another")

    def test_keystores_of_version_4_are_upgraded(self):
        shutil.unpack_archive(ARCHIVE, self.directory)
        old = self.directory / "network"
        keys = old / "validators-0" / "keystores.yaml"
        with_password = ("--keystores", keys, "--password-file", old / "password")
        before = self.validator("keys", "list", "--keystores", keys)
        self.assertIn("form=encrypted-v4", before)
        said = self.validator("keys", "upgrade", *with_password, "--kdf", "pbkdf2", "--indices", 0)
        self.assertEqual(said.count("result=upgraded"), 1, said)
        said = self.validator("keys", "upgrade", *with_password, "--kdf", "pbkdf2")
        self.assertEqual((said.count("result=upgraded"), said.count("result=unchanged")), (3, 1), said)
        contents = {path: path.read_bytes() for path in keys.parent.glob("*.json")}
        self.assertNotIn("upgraded", self.validator("keys", "upgrade", "--keystores", keys), "and no password is needed")
        self.assertEqual(contents, {path: path.read_bytes() for path in contents})
        after = self.validator("keys", "list", "--keystores", keys)
        self.assertEqual(after.count("form=encrypted-v5 high_water="), 4, after)
        self.validator("keys", "verify", *with_password)
        password = (old / "password").read_text(encoding="utf-8")
        signed = reader.read_eip3076(reader.load(self.records(keys, "records.json", "--format", "eip-3076")))
        for path in keys.parent.glob("validator_?.json"):
            keystore = reader.load(path)
            reader.read_keystore(keystore, password)
            self.assertEqual(keystore["scheme"]["params"]["seed_derivation"], "leansig-explicit")
            self.assertEqual(reader.high_water(keystore), max(signed["0x" + keystore["pubkey"]]))
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_records_in_eip3076s_form(self):
        keys = self.make_keys("keys")
        first, second = self.sign_up_to(keys, 7)
        own = json.loads(self.records(keys).read_text(encoding="utf-8"))
        root = "0x" + "34" * 32
        file = self.records(keys, "eip3076.json", "--format", "eip-3076", "--genesis-validators-root", root)
        self.assertEqual(reader.load(file)["metadata"]["genesis_validators_root"], root)
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        leaves = {7: "0x" + "ab" * 32, 6: None}
        self.assertEqual(reader.read_eip3076(reader.load(file)), {first: leaves, second: leaves})
        there = self.make_keys("there")
        self.validator("records", "import", "--keystores", there, "--input", file)
        self.assertEqual(json.loads(self.records(there).read_text(encoding="utf-8")), own, "nothing is lost on the way")
        highest = self.records(keys, "eip3076.json", "--format", "eip-3076", "--highest-only")
        self.assertEqual(reader.read_eip3076(reader.load(highest)), {first: {7: None}, second: {7: None}})

    def test_keys_and_records_move_in_one_file(self):
        keys = self.make_keys("keys")
        pubkeys = self.sign_up_to(keys, 7)
        file = self.directory / "keys.json"
        other = self.directory / "other-password"
        other.write_text("for the way", encoding="utf-8")
        other.chmod(0o600)
        self.validator(
            "keys", "export", "--keystores", keys, "--indices", "0..1", "--with-records", "--output", file, "--kdf",
            "pbkdf2", "--from-password-file", self.password, "--password-file", other)
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        moved = reader.read_bundle(reader.load(file), "for the way")
        self.assertEqual({key: max(leaves) for key, (_, leaves) in moved.items()}, dict.fromkeys(pubkeys, 7))
        there = self.directory / "there" / "keystores.yaml"
        for result in ("imported", "already_there"):
            said = self.validator(
                "keys", "import", "--from", file, "--keystores", there, "--kdf", "pbkdf2", "--from-password-file", other,
                "--password-file", self.password)
            self.assertEqual(said.count(f"result={result}"), 2, said)
        self.validator("keys", "verify", "--keystores", there, "--password-file", self.password)
        self.assertEqual(self.records(keys, "a.json").read_bytes(), self.records(there, "b.json").read_bytes())

    def test_a_bare_copy_never_signs(self):
        keys = self.make_keys("keys")
        self.sign_up_to(keys, 7)
        copies = self.directory / "copies" / "keystores.yaml"
        passwords = ("--from-password-file", self.password, "--password-file", self.password, "--kdf", "pbkdf2")
        self.validator(
            "keys", "export", "--keystores", keys, "--indices", "0..1", "--output", copies.parent, *passwords)
        copy = reader.load(copies.parent / "validator_0.json")
        self.assertFalse(reader.signs(copy))
        reader.read_keystore(copy, PASSWORD)
        said = self.refused("run", "--keystores", copies, "--password-file", self.password)
        self.assertIn("exported without its signing records", said)
        there = self.directory / "there" / "keystores.yaml"
        one = ("keys", "import", "--from", copies.parent / "validator_0.json", "--indices", 0, "--keystores", there)
        self.assertIn("import its records with it", self.refused(*one, *passwords))
        self.validator(*one, "--records-input", copies.parent / "records.json", *passwords)
        self.assertTrue(reader.signs(reader.load(there.parent / "validator_0.json")))

    def test_records_that_went_back_are_refused(self):
        keys = self.make_keys("keys")
        self.sign_up_to(keys, 3)
        database = keys.parent / "signing_records.sqlite"
        old = shutil.copy(database, self.directory / "backup.sqlite")
        self.sign_up_to(keys, 9)
        self.validator("keys", "upgrade", "--keystores", keys)  # writes the state
        run = ("run", "--keystores", keys, "--password-file", self.password)
        database.unlink()
        self.assertIn("do not have the key", self.refused(*run))
        shutil.copy(old, database)
        said = self.refused(*run)
        self.assertIn("had signed up to slot 9", said)
        self.assertIn("end at slot 3", said)
        self.assertIn("lean-validator records raise", said)
        # What the message says to do.
        self.validator("records", "raise", "--keystores", keys, "--slot", 20)
        with subprocess.Popen(
                [str(part) for part in (VALIDATOR, *run)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True) as client:
            lines = []
            for line in client.stdout:
                lines.append(line)
                if "validator client starting" in line:
                    break
            client.kill()
        self.assertIn("validator client starting", lines[-1], "".join(lines))


if __name__ == "__main__":
    e2e.main()
