"""Child processes that end together with this process."""

import collections
import os
import signal
import subprocess
import time


class Process:
    """A running child with its output in a log file.

    The child lives in a session of its own, so that a Ctrl-C at the terminal reaches only the process that then stops
    it in order. The kernel kills it when this process ends, however it ends: a kill -9 leaves no orphan. That holds for
    the thread that starts it, so start children from the main thread.
    """

    def __init__(self, name, arguments, log_path, prefix=()):
        """Starts `arguments`. `prefix`: a command that runs another one in its own place, such as `ip netns exec`."""
        self.name = name
        self.log_path = log_path
        self._log = open(log_path, "ab")
        self._child = subprocess.Popen(
            [*prefix, "setpriv", "--pdeathsig", "KILL", "--", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def pid(self):
        return self._child.pid

    def running(self):
        return self._child.poll() is None

    def exit_code(self):
        """None while it runs; negative: ended by that signal."""
        return self._child.poll()

    def wait(self, timeout_s):
        """Waits for its end. Returns the exit code, or None if it still runs after `timeout_s`."""
        try:
            return self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def cpu_s(self):
        """Seconds of processor time that it has used so far; it must run."""
        with open(f"/proc/{self.pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def signal(self, number):
        if self.running():
            os.kill(self.pid, number)

    def stop(self, timeout_s=60):
        """Asks it to end, and kills it if it still runs after `timeout_s`. Returns the exit code."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # a stopped process would not see the request
        code = self.wait(timeout_s)
        if code is None:
            self.kill()
            code = self.exit_code()
        self._log.close()
        return code

    def kill(self):
        self.signal(signal.SIGKILL)
        self._child.wait()
        self._log.close()

    def log_tail(self, lines=15):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return "".join(collections.deque(log, lines)).rstrip()


def exists(pid):
    """Whether a process with this id exists and is no zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition, timeout_s, what, poll_s=0.05):
    """Polls `condition` until its result is true, and returns that result. Raises TimeoutError with `what`
    otherwise."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_s:g} s for {what}")
        time.sleep(poll_s)
