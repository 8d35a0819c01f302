"""Secrets of a real validator client: their memory, the files from which they are read, and how it ends meanwhile."""

import os
import pathlib
import re
import signal
import subprocess

import e2e
from leandev.processes import Process, wait_until

PASSWORD = "correct horse battery staple"
VALIDATOR = e2e.BUILD_DIR / "bin" / "lean-validator"
# Opening them takes longer than a busy machine takes to deliver a signal.
OPENED_KEYS = 16
# A plain key file: 8 bytes of magic, lifetime and a word of zeros, then the seed.
SEED = slice(16, 48)
MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r")


def places_of(pid, secrets):
    """The flags of every readable mapping of a process that holds one of `secrets`: {name: [flags, ...]}."""
    mappings = []
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
        if found := MAPPING.match(line):
            mappings.append([int(found[1], 16), int(found[2], 16), ""])
        elif line.startswith("VmFlags:") and mappings:
            mappings[-1][2] = mappings[-1][2] or line
    result = {name: [] for name in secrets}
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end, flags in mappings:
            try:
                memory.seek(begin)
                content = memory.read(end - begin)
            except (OSError, ValueError, OverflowError):
                continue  # guard pages, [vvar]
            for name, secret in secrets.items():
                if secret in content:
                    result[name].append(flags.split()[1:])
    return result


class SecretsTest(e2e.NetworkTest):
    def run_validator(self, *arguments, **options):
        return subprocess.run([VALIDATOR, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=e2e.PATIENCE_S, start_new_session=True,
                              check=False, **options)

    def write(self, name, text, mode=0o600):
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    def make_keys(self, count, *options):
        folder = self.directory / f"keys-{len(list(self.directory.iterdir()))}"
        made = self.run_validator("keys", "new", "--output", folder, "--indices", f"0..{count - 1}", "--xmss-log-lifetime",
                                  e2e.XMSS_LOG_LIFETIME, "--active-slots", e2e.ACTIVE_SLOTS, *options)
        self.assertEqual(made.returncode, 0, made.stdout)
        return folder / "keystores.yaml"

    def make_encrypted_keys(self, count, kdf="pbkdf2"):
        return self.make_keys(count, "--password-file", self.write("password", PASSWORD), "--kdf", kdf)

    def make_encrypted_keys_of_known_seeds(self, count):
        """Returns the list of encrypted keys and their seeds."""
        plain = self.make_keys(count, "--plain").parent
        files = [plain / f"validator_{i}.key" for i in range(count)]
        encrypted = self.directory / "encrypted" / "keystores.yaml"
        password = self.write("password", PASSWORD)
        for index, file in enumerate(files):
            imported = self.run_validator("keys", "import", "--keystores", encrypted, "--from", file, "--indices", index,
                                          "--password-file", password, "--kdf", "pbkdf2")
            self.assertEqual(imported.returncode, 0, imported.stdout)
        return encrypted, [file.read_bytes()[SEED] for file in files]

    def start(self, *arguments, name="client"):
        process = Process(name, [VALIDATOR, *arguments], self.directory / f"{name}.log")
        self.addCleanup(process.stop)
        return process

    def test_seeds_lie_in_protected_memory_and_the_password_nowhere(self):
        keys, seeds = self.make_encrypted_keys_of_known_seeds(4)
        net = self.make_network(clients=1)
        net.keystores = [keys]
        net.password_file = self.directory / "password"
        net.genesis_dir = self.directory / "genesis"
        net.make_genesis(quiet=True)
        net.start()
        self.wait_for(lambda status: status.finalized.slot > 0, "finality")
        pid = net.clients[0].pid
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text(encoding="utf-8")
        self.assertRegex(limits, r"Max core file size +0 +0 ")
        secrets = {f"seed {i}": seed for i, seed in enumerate(seeds)} | {"password": PASSWORD.encode()}
        places = places_of(pid, secrets)
        self.assertEqual(places.pop("password"), [])
        for name, flags in places.items():
            self.assertTrue(flags, f"{name} is not found, so this test sees nothing")
            for mapping in flags:
                self.assertIn("dd", mapping, f"{name} lies in memory that a dump has")
                self.assertIn("lo", mapping, f"{name} lies in memory that can be swapped out")

    def test_a_stop_while_keys_are_opened_is_obeyed_at_once(self):
        keys = self.make_encrypted_keys(OPENED_KEYS, kdf="scrypt")
        password = self.directory / "password"
        genesis = self.directory / "genesis"
        made = self.run_beacon("genesis", "--output", genesis, "--genesis-delay", "3600", "--slot-ms", "4000",
                               "--xmss-log-lifetime", str(e2e.XMSS_LOG_LIFETIME), "--pubkeys-from", keys)
        self.assertEqual(made.returncode, 0, made.stderr)
        commands = {
            "run": (["run", "--genesis", genesis], 0),
            "sign-server": (["sign-server", "--genesis", genesis, "--new-keys", "--records", self.directory / "records",
                             "--listen", f"unix:{self.directory}/private/socket"], 0),
            "verify": (["keys", "verify"], 1),
        }
        (self.directory / "private").mkdir(mode=0o700)
        for name, (arguments, code) in commands.items():
            with self.subTest(name):
                process = self.start(*arguments, "--keystores", keys, "--password-file", password, name=name)
                first = "index=0" if name == "verify" else f"keys opening keys={OPENED_KEYS}"
                wait_until(lambda process=process, first=first: first in process.log_tail(99), e2e.PATIENCE_S,
                           "the first line about keys")
                process.signal(signal.SIGTERM)
                self.assertEqual(process.wait(e2e.PATIENCE_S), code, process.log_tail(99))
                # Opening the keys takes seconds. If later lines are missing, the client did not wait for it.
                for later in ("validator client starting", "signer listening", f"index={OPENED_KEYS - 1}"):
                    self.assertNotIn(later, process.log_tail(99))

    def test_passwords_come_from_descriptors_and_as_orchestrators_mount_them(self):
        keys = self.make_encrypted_keys(1)
        verify = ("keys", "verify", "--keystores", keys, "--password-file")
        for name in ("pipe", "file"):
            with self.subTest(name):
                if name == "pipe":
                    read, write = os.pipe()
                    os.write(write, PASSWORD.encode())
                    os.close(write)
                else:
                    read = os.open(self.directory / "password", os.O_RDONLY)
                done = self.run_validator(*verify, f"/dev/fd/{read}", pass_fds=(read,))
                os.close(read)
                self.assertEqual(done.returncode, 0, done.stdout)
        mounted = self.write("mounted", PASSWORD, 0o440)
        if os.geteuid() == 0:
            client = self.start("run", "--keystores", keys, "--password-file", mounted, "--beacon", "127.0.0.1:1")
            wait_until(lambda: "validator client starting" in client.log_tail(99), e2e.PATIENCE_S, "its start")
            warnings = [line for line in client.log_tail(99).splitlines() if "open to a group" in line]
            self.assertEqual(len(warnings), 1, client.log_tail(99))
            self.assertIn(str(mounted), warnings[0])
        refused = self.run_validator(*verify, self.write("everybodys", PASSWORD, 0o444))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("chmod 600", refused.stdout)

    def test_a_fifo_without_a_writer_is_given_up_and_ends_on_a_signal(self):
        keys = self.make_encrypted_keys(1)
        fifo = self.directory / "fifo"
        os.mkfifo(fifo, 0o600)
        done = self.run_validator("keys", "verify", "--keystores", keys, "--password-file", fifo)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("is anybody writing to it?", done.stdout)
        client = self.start("run", "--keystores", keys, "--password-file", fifo)
        wait_until(lambda: "keys opening" in client.log_tail(99), e2e.PATIENCE_S, "the first line about keys")
        client.signal(signal.SIGTERM)
        self.assertEqual(client.wait(e2e.PATIENCE_S), 0, client.log_tail(99))
        self.assertNotIn("is anybody writing", client.log_tail(99))

    def test_a_hundred_keys_are_made_with_a_dozen_lines(self):
        made = self.run_validator("keys", "new", "--plain", "--output", self.directory / "many", "--indices", "0..99",
                                  "--xmss-log-lifetime", "8")
        self.assertEqual(made.returncode, 0, made.stdout)
        self.assertLessEqual(len(made.stdout.splitlines()), 14, made.stdout)


if __name__ == "__main__":
    e2e.main()
