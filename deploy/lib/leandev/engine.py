"""The network engine (lean-p2p) of a beacon: its folder, its identity and its process."""

import pathlib
import subprocess

from leandev.processes import Process, wait_until

PROGRAM = "lean-p2p"
# Maximum length of the path of a unix socket (sun_path, without the zero at its end).
MAX_SOCKET_PATH = 107


def program(build_dir):
    return pathlib.Path(build_dir, "bin", PROGRAM)


def identity(build_dir, node_key, announce=""):
    """The `peer_id` of an engine with this key. With an address that others dial (`announce`, IP:PORT) also its
    `address`, a multiaddr, and its `enr`. Makes the key file when it does not exist."""
    command = [program(build_dir), "--print-identity", "--node-key", node_key]
    command += ["--announce", announce] if announce else []
    said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if said.returncode != 0:
        raise OSError(f"{PROGRAM} --print-identity failed with exit code {said.returncode}:\n{said.stderr.rstrip()}")
    return dict(line.split(": ", 1) for line in said.stdout.splitlines())


class Engine:
    """It has a key, and thereby an identity, from its creation. It runs between launch() and kill()."""

    def __init__(self, name, directory, build_dir):
        """`directory`: the network's folder, for the engine's own folder and its log."""
        self.name = name
        self.folder = directory / name  # its key and its socket
        self.log_path = directory / f"{name}.log"
        self.process = None
        self._build_dir = build_dir
        self._logged = 0  # bytes of the log when it was started last

    @property
    def socket(self):
        """The path to which its beacon connects."""
        return self.folder / "socket"

    @property
    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def identity(self, announce=""):
        """Its peer id and addresses, as the function identity() returns them."""
        return identity(self._build_dir, self._key(), announce)

    def _key(self):
        self.folder.mkdir(mode=0o700, exist_ok=True)
        return self.folder / "node.key"

    def launch(self, listen, arguments=(), prefix=()):
        """Starts it without waiting until it listens. `listen`: IP:PORT. `prefix`: a command that runs it."""
        self._logged = self.log_path.stat().st_size if self.log_path.exists() else 0
        command = [program(self._build_dir), "--socket", self.socket, "--node-key", self._key(), "--node-id", self.name]
        self.process = Process(self.name, [*command, "--listen", listen, *arguments], self.log_path, prefix)

    def wait(self, timeout_s=120):
        """Waits until it listens for peers and its beacon."""

        def listens():
            with open(self.log_path, "rb") as log:
                log.seek(self._logged)
                if b" engine_enr " in log.read():
                    return True
            if not self.running():
                raise OSError(f"{self.name} ended with exit code {self.process.exit_code()}:\n{self.process.log_tail()}")
            return False

        wait_until(listens, timeout_s, f"{self.name} to listen")

    def running(self):
        return self.process is not None and self.process.running()

    def kill(self):
        self.process.kill()
