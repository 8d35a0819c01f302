"""Machines that belong to a test: network namespaces, and an Ethernet between them that delays, drops and blocks
frames.

Nothing has a name outside. This process holds the namespaces open, and its switch the devices; the kernel kills the
switch with this process. Nothing is left behind, however the test ends.
"""

import contextlib
import ctypes
import os
import socket
import subprocess
import sys

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_libc = ctypes.CDLL(None, use_errno=True)


class Unavailable(Exception):
    """The reason why machines cannot be created here."""


def _check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


@contextlib.contextmanager
def _in_space(fd):
    """The calling thread is in the network namespace open as `fd`."""
    with open("/proc/thread-self/ns/net", encoding="utf-8") as home:
        _check(_libc.setns(fd, _CLONE_NEWNET), "setns")
        try:
            yield
        finally:
            _check(_libc.setns(home.fileno(), _CLONE_NEWNET), "setns")


class Machine:
    """A network namespace with loopback."""

    def __init__(self, name):
        self.name = name
        if os.geteuid() != 0:
            raise Unavailable("network namespaces need root")
        with open("/proc/thread-self/ns/net", encoding="utf-8") as home:
            if _libc.unshare(_CLONE_NEWNET) != 0:
                raise Unavailable(f"no network namespaces here: {os.strerror(ctypes.get_errno())}")
            self._fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            _check(_libc.setns(home.fileno(), _CLONE_NEWNET), "setns")
        # A file that represents the namespace for other processes.
        self.space = f"/proc/{os.getpid()}/fd/{self._fd}"
        self.run("ip", "link", "set", "lo", "up")

    @property
    def prefix(self):
        """A command that executes another one on this machine."""
        return ("nsenter", f"--net={self.space}")

    def run(self, *command):
        """Runs a command on this machine and returns its output. Raises OSError with that output if it fails."""
        done = subprocess.run(
            [*self.prefix, *map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise OSError(f"{' '.join(map(str, command))} on {self.name}: {done.stdout.strip()}")
        return done.stdout

    def enter(self):
        """Moves the calling thread, and the threads that it starts from now on, to this machine permanently."""
        _check(_libc.setns(self._fd, _CLONE_NEWNET), "setns")

    def udp_socket(self, address=("", 0)):
        """A socket of this machine, which any thread can use."""
        with _in_space(self._fd):
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(address)
        return made

    def close(self):
        """Closes the namespace, which ends with the last process in it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Port:
    """A device of a machine on one of the switch's LANs."""

    def __init__(self, name, machine, lan, device):
        self.name, self.machine, self.lan, self.device = name, machine, lan, device


class Switch:
    """The LANs between machines. The kernel's netem delays and drops frames if it is available, otherwise the
    switch."""

    def __init__(self, build_dir, seed=1):
        self._child = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", build_dir / "bin" / "lean-test-switch", str(seed)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self._ports = []
        self._cut = set()  # pairs of ports' names
        self._netem = None

    @property
    def pid(self):
        return self._child.pid

    @property
    def means(self):
        """What delays and drops frames: netem or the switch."""
        return "netem of the kernel" if self._has_netem() else "switch in user space (this kernel has no netem)"

    def attach(self, machine, lan, device, address):
        """Gives a machine a device with an address such as 10.0.0.1/24. Returns the port."""
        port = Port(f"{machine.name}.{device}", machine, lan, device)
        try:
            self._ask("port", port.name, lan, machine.space, device)
        except OSError as error:
            raise Unavailable(f"no TAP devices here: {error}") from error
        machine.run("ip", "addr", "add", address, "dev", device)
        machine.run("ip", "link", "set", device, "up")
        self._ports.append(port)
        return port

    def impair(self, lan, delay_ms=0.0, jitter_ms=0.0, loss_percent=0.0):
        """Sets the delay of every frame on this LAN, `delay_ms` plus or minus `jitter_ms`, and the probability of
        its loss."""
        ports = [port for port in self._ports if port.lan == lan]
        if self._has_netem():
            for port in ports:
                port.machine.run(
                    "tc", "qdisc", "replace", "dev", port.device, "root", "netem", "delay", f"{delay_ms}ms",
                    f"{jitter_ms}ms", "loss", f"{loss_percent}%")
            return
        for a, b in _pairs(ports):
            self._ask("link", a.name, b.name, round(delay_ms * 1e3), round(jitter_ms * 1e3), round(loss_percent * 1e4))

    def part(self, *groups):
        """Blocks frames between ports of different groups. Other ports are not affected."""
        for index, group in enumerate(groups):
            for other in groups[index + 1:]:
                for a in group:
                    for b in other:
                        self._ask("block", a.name, b.name)
                        self._cut.add((a.name, b.name))

    def heal(self):
        """Removes all blocks."""
        for a, b in self._cut:
            self._ask("unblock", a, b)
        self._cut.clear()

    def counters(self):
        """Numbers of frames since the start: delivered, lost, blocked, full."""
        return {name: int(value) for name, value in (word.split("=") for word in self._ask("counters").split())}

    def close(self):
        """Ends the switch, and all devices with it."""
        if self._child.poll() is None:
            self._child.stdin.close()
            self._child.wait()
            self._child.stdout.close()

    def _ask(self, *words):
        self._child.stdin.write(" ".join(map(str, words)) + "\n")
        self._child.stdin.flush()
        answer = self._child.stdout.readline().rstrip("\n")
        if not answer.startswith("ok"):
            raise OSError(answer or "the switch has ended")
        return answer.removeprefix("ok").strip()

    def _has_netem(self):
        if self._netem is None:
            probe = Machine("probe")
            try:
                probe.run("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
                self._netem = True
            except OSError:
                self._netem = False
            finally:
                probe.close()
        return self._netem


def shifted_clock(build_dir, shift_ms):
    """A command that executes another one with a clock that is ahead by this time (negative: behind)."""
    return ("env", f"LD_PRELOAD={build_dir}/bin/liblean_clock_shift.so", f"LEAN_CLOCK_SHIFT_MS={shift_ms}")


class SettableClock:
    """A clock for running programs that a test can set. `prefix`: a command that executes another one with it."""

    def __init__(self, build_dir, path):
        self._path = path
        self.set(0)
        self.prefix = ("env", f"LD_PRELOAD={build_dir}/bin/liblean_clock_shift.so", f"LEAN_CLOCK_SHIFT_FILE={path}")

    def set(self, shift_ms):
        """Sets how far it is ahead from now on (negative: behind)."""
        # Written at once and always with the same length, because the programs have mapped the file.
        with open(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600), "wb", buffering=0) as file:
            file.write(shift_ms.to_bytes(8, sys.byteorder, signed=True))


def _pairs(items):
    return [(a, b) for index, a in enumerate(items) for b in items[index + 1:]]
