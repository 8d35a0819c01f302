"""The part of deploy/devnet that runs after the build: see `deploy/devnet --help`."""

import argparse
import os
import pathlib
import shutil
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from leandev import engine, live_view, network, observe  # noqa: E402  pylint: disable=wrong-import-position

ROOT = pathlib.Path(__file__).resolve().parents[2]
POLL_S = 0.2
# A devnet is not finalizing if its finalized slot has not moved for this many slots.
STALL_SLOTS = 12
MAX_VALIDATORS = 4096


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="deploy/devnet",
        description="Installs what is missing, builds, makes a genesis and keys in a new folder, starts a beacon and "
        "validator clients, and shows the chain until Ctrl-C, which stops what it started.",
    )
    defaults = network.Settings(None, None)

    def whole(low, high):
        def parse(text):
            if not (text.isascii() and text.isdecimal()) or not low <= int(text) <= high:
                raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {low} to {high}")
            return int(text)

        return parse

    def path(text):
        if not text.strip():
            raise argparse.ArgumentTypeError("the value is empty: give one, or leave the option out")
        return pathlib.Path(text)

    parser.add_argument("--dir", type=path, metavar="DIR",
                        help="new folder of the devnet: genesis, keys, logs (default: devnet-DATE-TIME in the clone)")
    parser.add_argument("--port", type=whole(1, 65535), default=defaults.port, metavar="N",
                        help="port of the beacon's RPC on 127.0.0.1 (default: %(default)s)")
    parser.add_argument("--http-port", type=whole(1, 65535), metavar="N",
                        help=f"port of the page that shows the chain in a browser (default: {network.HTTP_PORT}, or a free "
                        "one if that is in use)")
    parser.add_argument("--slots", type=whole(1, 10**6), metavar="N",
                        help="end by itself after slot N: with exit code 0 if the finalized slot moved and kept moving")
    parser.add_argument("--slot-ms", type=whole(100, 60000), default=defaults.slot_ms, metavar="MS",
                        help="duration of a slot in milliseconds (default: %(default)s)")
    parser.add_argument("--validators", type=whole(1, MAX_VALIDATORS), default=defaults.validators, metavar="N",
                        help="validators in all (default: %(default)s)")
    parser.add_argument("--clients", type=whole(1, 64), metavar="N",
                        help=f"validator clients, which share the validators (default: {defaults.clients}, "
                        "or one for each beacon if that is more)")
    parser.add_argument("--beacons", type=whole(1, 16), default=defaults.beacons, metavar="N",
                        help="beacons, which share the clients; several have a network engine (lean-p2p) each, which link "
                        "them (default: %(default)s)")
    parser.add_argument("--xmss-log-lifetime", type=whole(8, 32), choices=(8, 16, 32), default=defaults.xmss_log_lifetime,
                        metavar="N", help="keys of 2^N slots: 8, 16 or 32 (default: %(default)s)")
    parser.add_argument("--active-slots", type=whole(1, 2**32), metavar="N",
                        help=f"slots that the keys are made for (default: {defaults.active_slots}, "
                        "or the lifetime if that is less)")
    parser.add_argument("--genesis-delay", type=whole(1, 3600), default=defaults.genesis_delay_s, metavar="S",
                        help="seconds from the end of key generation to genesis (default: %(default)s)")
    parser.add_argument("--plain", action="store_true",
                        help="a line for each slot instead of a picture: the default where there is no terminal")
    parser.add_argument("--observe", action="store_true",
                        help="also run Prometheus on the network, with the alerts of deploy/observe; its address is printed")
    parser.add_argument("--build-dir", type=path, metavar="DIR",
                        help="use the programs of this build folder: install and build nothing")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    options.clients = options.clients or max(defaults.clients, options.beacons)
    if options.clients > options.validators:
        parser.error(f"{options.clients} clients cannot share {options.validators} validators")
    return options


def default_http_port():
    return network.free_port() if network.port_in_use("127.0.0.1", network.HTTP_PORT) else network.HTTP_PORT


def settings_of(options):
    directory = options.dir or ROOT / time.strftime("devnet-%Y%m%d-%H%M%S")
    active_slots = options.active_slots or min(network.DEFAULT_ACTIVE_SLOTS, 2**options.xmss_log_lifetime)
    return network.Settings(
        directory=directory.absolute(),
        build_dir=(options.build_dir or ROOT / "build" / "release").absolute(),
        validators=options.validators,
        clients=options.clients,
        beacons=options.beacons,
        slot_ms=options.slot_ms,
        genesis_delay_s=options.genesis_delay,
        xmss_log_lifetime=options.xmss_log_lifetime,
        active_slots=active_slots,
        port=options.port,
        http_port=options.http_port or default_http_port(),
    )


def check(settings):
    """Refuses settings that cannot work, before anything is created."""
    if settings.directory.exists():
        raise network.NetworkError(
            f"{settings.directory} exists already: choose another folder with --dir, or remove it")
    if not settings.directory.parent.is_dir():
        raise network.NetworkError(f"{settings.directory.parent}, where the devnet's folder would go, does not exist")
    for port, option in ((settings.port, "--port"), (settings.http_port, "--http-port")):
        if network.port_in_use(settings.host, port):
            raise network.NetworkError(
                f"port {port} on {settings.host} is in use: stop what listens there, or choose another with {option}")


    socket = os.fsencode(network.Network(settings).engines[-1].socket) if settings.beacons > 1 else b""
    if len(socket) > engine.MAX_SOCKET_PATH:
        raise network.NetworkError(
            f"the path of the devnet's folder is too long for the unix sockets of the network engines, which may have "
            f"{engine.MAX_SOCKET_PATH} bytes: choose another one with --dir ({os.fsdecode(socket)})")


OBSERVER_PORT = 9090  # unless it is taken


def start_observer(devnet):
    """Starts Prometheus on the network, which serves metrics."""
    host = devnet.settings.host
    port = network.free_port() if network.port_in_use(host, OBSERVER_PORT) else OBSERVER_PORT
    observer = observe.Prometheus(devnet, port)
    observer.wait()
    print(f"==> Prometheus is on {observer.url}; dashboards for Grafana are in {observe.FOLDER / 'grafana'}", flush=True)
    return observer


def programs(settings):
    """The programs that the network runs."""
    return ("lean-beacon", "lean-validator", *((engine.PROGRAM,) if settings.beacons > 1 else ()))


def check_programs(settings):
    if shutil.which("setpriv") is None:
        raise network.NetworkError("setpriv is missing: install the package util-linux")
    for program in programs(settings):
        path = settings.build_dir / "bin" / program
        if not path.is_file():
            raise network.NetworkError(f"{path} is missing: build it, or leave --build-dir out")


class FinalityWatch:
    """Judges whether the finalized slot moves and keeps moving."""

    def __init__(self):
        self.finalized = 0
        self.slot = 0
        self._moved_at = 0

    def add(self, status):
        self.slot = max(self.slot, status.slot)
        if status.finalized.slot > self.finalized:
            self.finalized = status.finalized.slot
            self._moved_at = status.slot

    def failure(self):
        """The reason why the chain is not finalizing, or None."""
        if self.finalized == 0:
            return f"nothing was finalized in {self.slot} slots"
        if self.slot - self._moved_at > STALL_SLOTS:
            return f"finality stopped: slot {self.finalized}, finalized at slot {self._moved_at}, is still the last one"
        return None


def show(devnet, slots, plain):
    """Shows the chain until Ctrl-C (KeyboardInterrupt), or until slot `slots` is over. Returns the exit code."""
    settings = devnet.settings
    history, watch = live_view.SlotHistory(), FinalityWatch()
    palette = live_view.Palette(live_view.wants_colour())
    screen = None if plain else live_view.Screen()
    status, heard = None, time.monotonic()
    reported = set()
    try:
        while True:
            answer = devnet.rpc.try_status()
            if answer is not None:
                status, heard = answer, time.monotonic()
                watch.add(status)
                row = history.add(status)
                if plain and row is not None:
                    print(live_view.row_line(row, status.validator_count), flush=True)
            processes = [(p.name, p.pid, p.exit_code()) for p in devnet.processes()]
            if screen is not None:
                screen.draw(live_view.render(
                    settings, status, history.rows, processes, palette, time.monotonic() - heard,
                    lambda index: devnet.client_name(devnet.client_of(index))))
            for process in devnet.processes():
                if not process.running() and process.name not in reported:
                    reported.add(process.name)
                    if process not in devnet.clients or slots is not None:
                        print(f"{process.name} ended with exit code {process.exit_code()}; the end of its log "
                              f"({process.log_path}):\n{process.log_tail()}", file=sys.stderr)
                        return 1
                    if plain:
                        print(f"{process.name} ended with exit code {process.exit_code()}; see {process.log_path}")
            if slots is not None and watch.slot > slots:
                failure = watch.failure()
                if failure:
                    print(f"devnet: {failure}; logs are in {settings.directory}", file=sys.stderr)
                    return 1
                print(f"finalized slot {watch.finalized} by slot {watch.slot}")
                return 0
            time.sleep(POLL_S)
    finally:
        if screen is not None:
            screen.close()


def run(options, settings):
    devnet = network.Network(settings)
    observer = None
    settings.directory.mkdir()
    print(f"==> making keys for {settings.validators} validators in {settings.directory}", flush=True)
    if settings.xmss_log_lifetime != network.PRODUCTION_XMSS_LOG_LIFETIME:
        print(f"    (keys of 2^{settings.xmss_log_lifetime} slots instead of pq-devnet-1's "
              f"2^{network.PRODUCTION_XMSS_LOG_LIFETIME})", flush=True)
    try:
        devnet.make_keys()
        devnet.make_genesis()
        beacons = "a beacon"
        if settings.beacons > 1:
            beacons = f"{settings.beacons} beacons with a network engine each, the first beacon"
        print(f"==> starting {beacons} on {settings.address} and {settings.clients} validator clients", flush=True)
        if options.observe:
            devnet.serve_metrics()
        devnet.start()
        print(f"==> the chain in a browser: http://{settings.host}:{settings.http_port}/", flush=True)
        if options.observe:
            observer = start_observer(devnet)
        return show(devnet, options.slots, options.plain or not sys.stdout.isatty())
    except KeyboardInterrupt:
        return 0 if options.slots is None else 130
    finally:
        # From here on Ctrl-C is ignored, because it would only interrupt the shutdown.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if devnet.processes():
            print("==> stopping", flush=True)
        if observer is not None:
            observer.stop()
        devnet.stop()


def main(arguments):
    options = parse_arguments(arguments)
    settings = settings_of(options)

    def interrupt(number, frame):
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        check(settings)
        if options.check:
            print("\n".join(programs(settings)))
            return 0
        check_programs(settings)
        if options.observe and observe.missing():
            raise network.NetworkError(observe.missing())
        return run(options, settings)
    except (network.NetworkError, TimeoutError, OSError) as error:
        print(f"devnet: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
