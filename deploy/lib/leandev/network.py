"""A whole network on one machine: its folder, keys, genesis, and the processes of the programs."""

import dataclasses
import pathlib
import random
import secrets
import socket
import subprocess
import time

from leandev.engine import PROGRAM, Engine
from leandev.processes import Process, wait_until
from leandev.rpc import BeaconRpc

# Lifetime of the keys of pq-devnet-1 and of the devnet: 2^this leaves, one for each slot.
PRODUCTION_XMSS_LOG_LIFETIME = 32
# Active slots of a key, which determine the time of key generation and the length of the devnet (six days with slots of
# four seconds). A production key has no fewer.
DEFAULT_ACTIVE_SLOTS = 2**17


# Port of the first beacon's HTTP server.
HTTP_PORT = 5058


class NetworkError(Exception):
    """An error with a message for people."""


@dataclasses.dataclass
class Settings:
    """The settings of a network."""

    directory: pathlib.Path  # of the network: keys, genesis, logs
    build_dir: pathlib.Path  # whose bin/ holds the programs and whose python/ the stubs
    validators: int = 4
    clients: int = 2  # validator clients, which share the validators evenly
    # Client n uses beacon n modulo their number. Several beacons have a network engine each, which links them all.
    beacons: int = 1
    slot_ms: int = 4000
    genesis_delay_s: int = 5
    xmss_log_lifetime: int = PRODUCTION_XMSS_LOG_LIFETIME
    active_slots: int = DEFAULT_ACTIVE_SLOTS
    host: str = "127.0.0.1"
    port: int = 5052
    http_port: int = None  # of the first beacon's HTTP server; None: no beacon has one

    @property
    def address(self):
        return f"{self.host}:{self.port}"


# Locks on the ports that free_port() returned, held until this process ends.
_reserved_ports = []


def free_port():
    """A port of 127.0.0.1 on which nothing listens, and which this function returns to no other process meanwhile.

    It is below the range from which the kernel takes ports for connections and for who asks for any port.
    """
    ephemeral = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    for port in random.SystemRandom().sample(range(10_000, max(ephemeral, 20_000)), 1_000):
        lock = socket.socket(socket.AF_UNIX)
        try:
            lock.bind(f"\0lean-port-{port}")  # a name without a file, which ends with the socket
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(type=kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _reserved_ports.append(lock)
        return port
    raise NetworkError("no port is free")


def port_in_use(host, port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def make_keys(build_dir, output, indices, xmss_log_lifetime, active_slots, password_file=None, quiet=False):
    """Makes keys for the range `indices`, showing the program's progress unless `quiet`. Returns their keystores file.

    They are encrypted with the password in `password_file`, or plain without one.
    """
    command = [
        *("setpriv", "--pdeathsig", "KILL", "--"),
        *(build_dir / "bin" / "lean-validator", "keys", "new", "--output", output),
        *("--indices", f"{indices.start}..{indices.stop - 1}"),
        *("--xmss-log-lifetime", xmss_log_lifetime, "--active-slots", active_slots),
        # pbkdf2 takes a tenth of scrypt's time at each start of a client with many keys.
        *(("--password-file", password_file, "--kdf", "pbkdf2") if password_file else ("--plain",)),
    ]
    run(command, "key generation", quiet)
    return output / "keystores.yaml"


def run(command, what, quiet):
    """Runs a program to its end. When it fails, raises NetworkError with what it printed. `what`: the step, for
    people."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        check=False,
    )
    if done.returncode != 0:
        said = f":\n{done.stdout.decode(errors='replace').rstrip()}" if quiet else "; see above"
        raise NetworkError(f"{what} failed with exit code {done.returncode}{said}")


@dataclasses.dataclass
class Place:
    """Where a beacon and its network engine run, and which peers the engine dials. May be changed until they start."""

    rpc_address: str
    listen: str = ""  # IP:PORT on which the engine has its peers; empty: there is no engine
    announce: str = ""  # IP:PORT that others dial; empty: they cannot
    dials: list = None  # multiaddrs or ENRs of peers; None: all of the network's nodes.yaml
    prefix: tuple = ()  # a command that both are run under, such as `ip netns exec NAME`
    http_address: str = "off"  # of the beacon's HTTP server; "off": none
    arguments: tuple = ()  # more of them, for the beacon
    engine_arguments: tuple = ()
    genesis_dir: pathlib.Path = None  # another than the network's


class Network:
    """Beacons and their validator clients. Made by make_keys() or use_keys(), then make_genesis(); ended by stop().

    `beacon` and `rpc` are those of the first beacon. With several beacons each has a network engine; a beacon and its
    engine are a node, and either is started and ended without the other.
    """

    def __init__(self, settings, beacon_prefix=()):
        """`beacon_prefix`: a command that runs the first beacon, such as `ip netns exec NAME`."""
        self.settings = settings
        self.genesis_dir = settings.directory / "genesis"
        self.keystores = []  # a file for each client
        self.password_file = None  # of the keystores; None: they are plain
        self.beacons = [None] * settings.beacons
        self.rpcs = [None] * settings.beacons
        self.clients = [None] * settings.clients
        self.client_prefixes = [()] * settings.clients  # commands that they are run under
        self.places = [self._place(number) for number in range(settings.beacons)]
        self.places[0].prefix = beacon_prefix
        self.client_arguments = []  # more of them, for every client
        self.metrics_addresses = {}  # by the name of the process: the program, and where it serves metrics
        self.certificates = None  # folder of `lean-beacon certs`; None: without TLS
        self.engines = [
            Engine(f"engine-{number}", settings.directory, settings.build_dir) if settings.beacons > 1 else None
            for number in range(settings.beacons)
        ]

    def _place(self, number):
        s = self.settings
        http = f"{s.host}:{s.http_port}" if number == 0 and s.http_port else "off"
        if s.beacons == 1:
            return Place(s.address, http_address=http)
        listen = f"{s.host}:{free_port()}"
        rpc = s.address if number == 0 else f"{s.host}:{free_port()}"
        return Place(rpc, listen, announce=listen, http_address=http)

    @property
    def beacon(self):
        return self.beacons[0]

    @property
    def rpc(self):
        return self.rpcs[0]

    def beacon_name(self, number):
        return "beacon" if self.settings.beacons == 1 else f"beacon-{number}"

    def data_dir(self, number=0):
        """The folder in which a beacon stores its chain."""
        return self.settings.directory / f"{self.beacon_name(number)}-data"

    def beacon_of(self, client):
        return client % self.settings.beacons

    def client_name(self, number):
        return f"validators-{number}"

    def client_indices(self, number):
        """The validators of client `number`."""
        total, parts = self.settings.validators, self.settings.clients
        return range(total * number // parts, total * (number + 1) // parts)

    def client_of(self, validator):
        return next(n for n in range(self.settings.clients) if validator in self.client_indices(n))

    def make_keys(self):
        """Creates keys with a random password, which is stored in the network's folder."""
        s = self.settings
        self.password_file = s.directory / "password"
        self.password_file.touch(mode=0o600, exist_ok=False)
        self.password_file.write_text(secrets.token_hex(16) + "\n", encoding="ascii")
        for number in range(s.clients):
            output = s.directory / self.client_name(number)
            keystores = make_keys(
                s.build_dir, output, self.client_indices(number), s.xmss_log_lifetime, s.active_slots,
                self.password_file)
            self.keystores.append(keystores)

    def use_keys(self, keystores):
        """Uses existing plain keys. `keystores`: the keystores file of each client."""
        self.keystores = list(keystores)

    def make_certificates(self, days=365):
        """From now on beacons and clients start with certificates, and `rpcs` call as the reader "observer"."""
        self.certificates = self.settings.directory / "certs"
        command = [
            *("setpriv", "--pdeathsig", "KILL", "--"),
            *(self.settings.build_dir / "bin" / "lean-beacon", "certs", "new", "--folder", self.certificates),
            *("--days", days, "--reader", "observer", "--operator", "admin"),
        ]
        for number, place in enumerate(self.places):
            host = place.rpc_address.rsplit(":", 1)[0].strip("[]")
            command += ["--beacon", f"{self.beacon_name(number)}={host}"]
        for number in range(self.settings.clients):
            command += ["--validator", self.client_name(number)]
        run(command, "making the certificates", quiet=True)

    def add_certificates(self, *nodes):
        """`nodes`: the options of `lean-beacon certs add` that name them."""
        run([self.settings.build_dir / "bin" / "lean-beacon", "certs", "add", "--folder", self.certificates, *nodes],
            "adding certificates", quiet=True)

    def tls_arguments(self, name):
        """The options with which the node `name` uses its certificate."""
        return [] if self.certificates is None else ["--tls-dir", self.certificates / name]

    def make_genesis(self, quiet=False):
        s = self.settings
        command = [
            *("setpriv", "--pdeathsig", "KILL", "--"),
            *(s.build_dir / "bin" / "lean-beacon", "genesis", "--output", self.genesis_dir),
            *("--slot-ms", s.slot_ms, "--xmss-log-lifetime", s.xmss_log_lifetime),
        ]
        for keystores in self.keystores:
            command += ["--pubkeys-from", keystores]
        # A busy machine may run the program only after the time that it is given.
        for delay_s in (s.genesis_delay_s, 2 * s.genesis_delay_s, 4 * s.genesis_delay_s):
            try:
                return run([*command, "--genesis-time", int(time.time()) + delay_s], "making the genesis", quiet)
            except NetworkError as error:
                if " has passed " not in str(error):
                    raise
                late = error
        raise late

    def serve_metrics(self):
        """Lets all programs that are started from now on serve metrics on free ports."""
        s = self.settings
        for program, names in (("lean-beacon", map(self.beacon_name, range(s.beacons))),
                               ("lean-validator", map(self.client_name, range(s.clients))),
                               (PROGRAM, [engine.name for engine in self.engines if engine is not None])):
            for name in names:
                self.metrics_addresses[name] = (program, f"{s.host}:{free_port()}")

    def _metrics_arguments(self, name):
        return ["--metrics-address", self.metrics_addresses[name][1]] if name in self.metrics_addresses else []

    @property
    def nodes_file(self):
        """The ENRs of all engines that others can dial, in the format of lean-quickstart."""
        return self.settings.directory / "nodes.yaml"

    def peer_id(self, number):
        return self.engines[number].identity()["peer_id"]

    def dial_address(self, number):
        """The multiaddr at which others dial a beacon's engine."""
        return self.engines[number].identity(self.places[number].announce)["address"]

    def launch_engine(self, number):
        """Starts a beacon's network engine without waiting until it listens."""
        place = self.places[number]
        if place.dials is None:
            if not self.nodes_file.exists():
                self._write_nodes()
            peers = ["--nodes", self.nodes_file]
        else:
            peers = [word for address in place.dials for word in ("--peer", address)]
        announce = ("--announce", place.announce) if place.announce else ()
        arguments = [*announce, *peers, *self._metrics_arguments(self.engines[number].name), *place.engine_arguments]
        self.engines[number].launch(place.listen, arguments, place.prefix)

    def _write_nodes(self):
        enrs = [
            engine.identity(place.announce)["enr"]
            for engine, place in zip(self.engines, self.places) if place.announce
        ]
        self.nodes_file.write_text("".join(f"- {enr}\n" for enr in enrs), encoding="ascii")

    def start_engine(self, number):
        """Starts a beacon's network engine and waits until it listens."""
        self.launch_engine(number)
        self.engines[number].wait()

    def launch_beacon(self, number=0):
        """Starts a beacon on its data folder without waiting until it answers."""
        s = self.settings
        place = self.places[number]
        name = self.beacon_name(number)
        arguments = [s.build_dir / "bin" / "lean-beacon", "run", "--genesis", place.genesis_dir or self.genesis_dir]
        arguments += ["--rpc-address", place.rpc_address, "--name", name]
        arguments += ["--data", self.data_dir(number), *self._metrics_arguments(name), *self.tls_arguments(name)]
        arguments += ["--http-address", place.http_address]
        if place.listen:
            arguments += ["--network-engine", f"unix:{self.engines[number].socket}"]
        self.beacons[number] = Process(name, [*arguments, *place.arguments], s.directory / f"{name}.log", place.prefix)
        if self.rpcs[number] is None:
            observer = None if self.certificates is None else self.certificates / "observer"
            self.rpcs[number] = BeaconRpc(place.rpc_address, s.build_dir, observer)

    def await_beacon(self, number=0, timeout_s=60):
        """Waits until a beacon that was launched answers."""
        beacon = self.beacons[number]

        def answers():
            if not beacon.running():
                raise NetworkError(f"{beacon.name} ended with exit code {beacon.exit_code()}:\n{beacon.log_tail()}")
            return self.rpcs[number].try_status()

        wait_until(answers, timeout_s, f"{beacon.name} to answer on {self.places[number].rpc_address}")

    def start_beacon(self, number=0, timeout_s=60):
        """Starts a beacon and waits until it answers."""
        self.launch_beacon(number)
        self.await_beacon(number, timeout_s)

    def start_node(self, number):
        """Starts a beacon and its network engine, and waits for both."""
        self.start_engine(number)
        self.start_beacon(number)

    def kill_node(self, number):
        for process in (self.beacons[number], self.engines[number]):
            process.kill()

    def start_client(self, number):
        s = self.settings
        name = self.client_name(number)
        arguments = [s.build_dir / "bin" / "lean-validator", "run"]
        place = self.places[self.beacon_of(number)]
        arguments += ["--keystores", self.keystores[number], "--genesis", place.genesis_dir or self.genesis_dir]
        arguments += ["--beacon", place.rpc_address, *self._metrics_arguments(name), *self.tls_arguments(name)]
        arguments += self.client_arguments
        if self.password_file:
            arguments += ["--password-file", self.password_file]
        self.clients[number] = Process(name, arguments, s.directory / f"{name}.log", self.client_prefixes[number])

    def start(self):
        with_engine = [number for number, place in enumerate(self.places) if place.listen]
        for number in with_engine:
            self.launch_engine(number)
        for number in with_engine:
            self.engines[number].wait()
        for number in range(self.settings.beacons):
            self.launch_beacon(number)
        for number in range(self.settings.beacons):
            self.await_beacon(number)
        for number in range(self.settings.clients):
            self.start_client(number)

    def processes(self):
        engines = [engine.process for engine in self.engines if engine is not None]
        return [process for process in (*engines, *self.beacons, *self.clients) if process is not None]

    def stop(self):
        """Ends every process that still runs: the clients first, so that no duty fails for lack of a beacon, and the
        engines last."""
        for number, rpc in enumerate(self.rpcs):
            if rpc is not None:
                rpc.close()
                self.rpcs[number] = None
        for process in reversed(self.processes()):
            process.stop()
