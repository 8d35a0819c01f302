"""Runs the commands of a page, in their order, in a folder of its own.

The commands run as they are written, except for values that only cost time (QUICKER).
"""

import os
import pathlib
import re
import signal
import subprocess

import machines
import pages
from leandev.processes import Process, wait_until

PATIENCE_S = 120
HERE = pathlib.Path(__file__).resolve().parent
SHELL = ("bash", "-euo", "pipefail", "-c")
QUICKER = (
    (r"--genesis-delay 60\b", "--genesis-delay 8"),
    (r"--slot-ms 4000\b", "--slot-ms 800"),
    (r"--active-slots 8192\b", "--active-slots 512"),
    (r"\bkeys (new|export|import) ", r"keys \1 --kdf pbkdf2 "),
)
# What differs from run to run: hex, and numbers.
VOLATILE = re.compile(r"0x[0-9a-f]+|\d+")


class ScenarioError(Exception):
    """A command of a page does not do what the page says."""


def quicker(text):
    for pattern, replacement in QUICKER:
        text = re.sub(pattern, replacement, text)
    return text


class Machines:
    """The machine of a page, and those that it names by address, with a LAN between them. Each has a folder."""

    def __init__(self, folder, build_dir):
        self.folder = folder
        self.build_dir = build_dir
        self.switch = None
        self.made = {}

    def at(self, host):
        """The command that executes another one on this machine, and its folder. None: the page names no machine."""
        if host not in self.made:
            self.made[host] = machines.Machine(str(host))
            self._folder(host).mkdir(exist_ok=True)
            if host is None:
                # Some commands are for a checkout of the repository.
                (self._folder(host) / "proto").symlink_to(pages.ROOT / "proto")
            else:
                self.switch = self.switch or machines.Switch(self.build_dir)
                self.switch.attach(self.made[host], "lan", "eth0", f"{host}/24")
        return self.made[host].prefix, self._folder(host)

    def close(self):
        if self.switch is not None:
            self.switch.close()
        for machine in self.made.values():
            machine.close()

    def _folder(self, host):
        return self.folder / str(host or "here")


class Scenario:
    """One page, in a new folder. `grpcurl` is the folder of that program, or None: a stand-in is used."""

    def __init__(self, page, folder, build_dir, grpcurl):
        self.page = page
        self.folder = folder
        self.build_dir = build_dir
        self.begun = []  # machines: the last ones are in use
        self.running = {}
        self.waited = {}  # by name: how much of its output was looked at
        # `ssh` has stand-ins of scp and ssh, which reach the folders of machines.
        paths = [build_dir / "bin", HERE / "ssh", grpcurl or HERE / "grpcurl"]
        self.variables = {"PATH": ":".join([*map(str, paths), os.environ["PATH"]]), "LEAN_BUILD_DIR": build_dir}
        self.begin()

    def run(self):
        """Runs all steps."""
        try:
            for step in pages.steps(self.page):
                self.step(step)
            for name in reversed(list(self.running)):
                self.interrupt("the end of the page", name)
        finally:
            for process in self.running.values():
                process.kill()
            for begun in self.begun:
                begun.close()

    def begin(self):
        """What follows runs in new folders, on new machines."""
        folder = self.folder / str(len(self.begun))
        folder.mkdir()
        self.begun.append(Machines(folder, self.build_dir))

    def step(self, step):
        if isinstance(step, pages.Begin):
            self.begin()
            for block in pages.beginning(step):
                self.step(block)
        elif isinstance(step, pages.Wait):
            self.wait(step.place, step.name, step.text)
        elif isinstance(step, pages.Interrupt):
            self.interrupt(step.place, step.name)
        elif step.has("not run"):
            self.say(step.place, f"not run: {step.group('not run', 'reason')}")
        elif step.has("runs on"):
            self.start(step)
        else:
            self.execute(step)

    def say(self, place, text):
        print(f"{place}: {text}", flush=True)

    def fail(self, place, what):
        raise ScenarioError(f"{place}: {what}")

    def execute(self, block):
        commands = quicker(block.text)
        if block.kind == "console":
            for command, shown in commands_and_output(commands):
                said = self.call(block, command)
                if not block.has("output varies") and not looks_like(said, shown):
                    self.fail(block.place, f"{command!r} printed:\n{said}\ninstead of:\n{shown}")
        else:
            self.call(block, commands)

    def call(self, block, commands):
        """Runs commands to their end, and returns what they have printed."""
        prefix, command, folder = self.command(block, commands)
        done = subprocess.run([*prefix, *command], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S, check=False)
        if (done.returncode != 0) != block.has("fails"):
            self.fail(block.place, f"exit code {done.returncode} of:\n{commands}\n{done.stdout}{self.logs()}")
        self.say(block.place, f"exit code {done.returncode}")
        return done.stdout

    def start(self, block):
        """Starts commands, the last of which runs on."""
        name = block.group("runs on", "name") or block.text.split()[0]
        if name in self.running:
            self.fail(block.place, f"{name} runs already")
        before, last = re.fullmatch(r"((?:.*\n)*?)((?:.*\\\n)*.*)", quicker(block.text)).groups()
        prefix, command, folder = self.command(block, f"{before}exec {last}")
        self.running[name] = Process(name, ["env", "-C", folder, *command], self.folder / f"{name}.log", prefix)
        self.waited[name] = 0
        self.wait(block.place, name, block.group("runs on", "until"))

    def command(self, block, commands):
        """The command that leads to the block's machine, the one that runs `commands` there, and their folder."""
        places = self.begun[-1]
        prefix, folder = places.at(block.group("on", "host"))
        variables = {**self.variables, "HOME": folder, "LEAN_BOOK_FOLDER": places.folder}
        variables = (f"{name}={value}" for name, value in variables.items())
        return prefix, ["env", *variables, *SHELL, commands], folder

    def wait(self, place, name, text):
        """Waits until a program prints a text that it had not printed at the previous wait."""
        def found():
            output = self.output(name)
            begin = output.find(text, self.waited[name])
            if begin >= 0:
                self.waited[name] = begin + len(text)
                return True
            return not self.running[name].running() and self.fail(place, f"{name} has ended:\n{self.logs()}")

        try:
            wait_until(found, PATIENCE_S, text)
        except TimeoutError:
            self.fail(place, f"{name} does not print {text!r}:\n{self.logs()}")
        self.say(place, f"{name}: {text}")

    def output(self, name):
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def interrupt(self, place, name):
        process = self.running.pop(name)
        if process.running():
            os.killpg(process.pid, signal.SIGINT)
        process.wait(PATIENCE_S)
        code = process.stop()
        if code != 0:
            self.fail(place, f"{name} ended with {code} after Ctrl-C:\n{process.log_tail(20)}")

    def logs(self):
        return "".join(f"\n--- {name}\n{self.output(name)[-1000:]}" for name in self.running)


def commands_and_output(text):
    """The commands of a console, each with what it shows."""
    found = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command += "\n" + next(lines)
            found.append((command, []))
        else:
            found[-1][1].append(line)
    return [(command, "\n".join(shown)) for command, shown in found]


def looks_like(said, shown):
    """Whether a command has printed what the page shows, but for numbers, hex and white space. `...` on a line of its
    own stands for any lines, and `…` for the rest of a word."""
    def plain(text):
        return [" ".join(VOLATILE.sub("#", line).split()) for line in text.strip().splitlines()]

    pattern = ""
    for line in plain(shown):
        pattern += r"(?:.*\n)*?" if line == "..." else re.escape(line).replace("…", r"\S*") + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in plain(said))) is not None
