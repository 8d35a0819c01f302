"""The test machines and their network do what they promise, and leave nothing behind."""

import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest

import e2e
import machines
from leandev.processes import exists, wait_until

FRAMES = 400
# Frames that are not lost arrive at once, but a busy machine may not run the switch for a while.
PATIENCE_S = 30
LAST = b"last"
# asm-generic/socket.h
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35


class SwitchTest(unittest.TestCase):
    def setUp(self):
        try:
            self.switch = machines.Switch(e2e.BUILD_DIR)
            self.addCleanup(self.switch.close)
            self.ports, self.sockets = [], []
            for number in (1, 2, 3):
                machine = machines.Machine(f"machine-{number}")
                self.addCleanup(machine.close)
                self.ports.append(self.switch.attach(machine, "wan", "wan", f"10.77.0.{number}/24"))
                self.sockets.append(machine.udp_socket((f"10.77.0.{number}", 9)))
                self.addCleanup(self.sockets[-1].close)
                # Room for all frames of a measurement, with the kernel's receive times, because they are read later.
                self.sockets[-1].setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 2**24)
                self.sockets[-1].setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        except machines.Unavailable as error:
            self.skipTest(str(error))
        print(f"network: {self.switch.means}", flush=True)

    def one_way(self, sender, receiver, frames=1, pause_s=0.0, patience_s=PATIENCE_S):
        """Milliseconds that each frame took, without frames that did not arrive."""
        sink = self.sockets[receiver]
        sink.settimeout(patience_s)
        self._send(sender, receiver, frames, pause_s)
        taken = []
        try:
            while len(taken) < frames:
                taken.append(self._read(sink))
        except TimeoutError:
            pass
        return taken

    def _send(self, sender, receiver, frames, pause_s):
        for _ in range(frames):
            self.sockets[sender].sendto(str(time.time()).encode(), (f"10.77.0.{receiver + 1}", 9))
            time.sleep(pause_s)

    def count_arrived(self, sender, receiver, frames, pause_s):
        """How many of the frames arrive. No frame overtakes another one, so that they have when a later one has."""
        sink = self.sockets[receiver]
        sink.settimeout(PATIENCE_S)
        self._send(sender, receiver, frames, pause_s)
        for _ in range(10):  # not all of them are lost
            self.sockets[sender].sendto(LAST, (f"10.77.0.{receiver + 1}", 9))
        arrived = 0
        while sink.recv(64) != LAST:
            arrived += 1
        return arrived

    @staticmethod
    def _read(sink):
        """Milliseconds that the next frame took."""
        data, ((_, _, stamp),), _, _ = sink.recvmsg(64, 64)
        seconds, nanoseconds = struct.unpack("qq", stamp)
        return (seconds + nanoseconds / 1e9 - float(data)) * 1e3

    def know_each_other(self):
        """Resolves addresses before the measurements, because that also sends frames."""
        for sender, receiver in ((0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)):
            self.assertEqual(len(self.one_way(sender, receiver)), 1)

    def test_delays_and_loses_as_told(self):
        self.know_each_other()
        perfect = self.one_way(0, 1, 50, 0.002)
        self.assertEqual(len(perfect), 50)
        # A busy machine only adds delay: the least delays are the switch's own.
        self.assertLess(min(perfect), 10)

        self.switch.impair("wan", delay_ms=60, jitter_ms=20)
        delayed = self.one_way(0, 1, 50, 0.01)
        self.assertEqual(len(delayed), 50)
        self.assertGreaterEqual(min(delayed), 39)
        self.assertLess(min(delayed), 60)
        self.assertGreater(max(delayed), 60)

        self.switch.impair("wan", loss_percent=10)
        arrived = self.count_arrived(0, 1, FRAMES, 0.001)
        # Five standard deviations around 360.
        self.assertGreater(arrived, 0.9 * FRAMES - 30)
        self.assertLess(arrived, 0.9 * FRAMES + 30)

    def test_parts_and_heals(self):
        self.know_each_other()
        one, two, three = self.ports
        self.switch.part([one, two], [three])
        self.assertEqual(len(self.one_way(0, 1)), 1)
        for sender, receiver in ((0, 2), (2, 0), (1, 2), (2, 1)):
            self.assertEqual(self.one_way(sender, receiver, patience_s=0.1), [])
        wait_until(lambda: self.switch.counters()["blocked"] >= 4, PATIENCE_S, "the switch to have blocked the frames")
        for receiver in (0, 1, 2):
            self.sockets[receiver].settimeout(0)
            self.assertRaises(BlockingIOError, self.sockets[receiver].recv, 64)
        self.switch.heal()
        self.know_each_other()

    def test_leaves_nothing_behind_when_killed(self):
        program = (
            "import e2e, machines, sys, time\n"
            "from leandev.processes import Process\n"
            "switch = machines.Switch(e2e.BUILD_DIR)\n"
            "machine = machines.Machine('victim')\n"
            "switch.attach(machine, 'wan', 'wan', '10.77.0.1/24')\n"
            "child = Process('sleeper', ['sleep', '600'], '/dev/null', machine.prefix)\n"
            "machine.run('ip', 'link', 'show', 'wan')\n"
            "print(switch.pid, child.pid, flush=True)\n"
            "time.sleep(600)\n")
        victim = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        self.addCleanup(victim.wait)
        self.addCleanup(victim.kill)
        pids = [int(word) for word in victim.stdout.readline().split()]
        self.addCleanup(victim.stdout.close)
        self.assertEqual(len(pids), 2)
        # The sleeper is in the namespace, and ends with its parent, when its name is its own: nsenter has then executed
        # setpriv, and that the sleeper.
        wait_until(lambda: self._name(pids[1]) == "sleep", 60, "the child to be on its machine")
        namespace = self._namespace(pids[1])
        self.assertNotEqual(namespace, self._namespace("self"))
        # Held open, so that no other test's namespace gets its number.
        self.addCleanup(open(f"/proc/{pids[1]}/ns/net", "rb").close)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        wait_until(lambda: not any(exists(pid) for pid in pids), 60, "the switch and the child to end")
        users = [link for link in pathlib.Path("/proc").glob("[0-9]*/ns/net") if self._readlink(link) == namespace]
        self.assertEqual(users, [])

    @staticmethod
    def _name(pid):
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()

    def _namespace(self, pid):
        return self._readlink(pathlib.Path(f"/proc/{pid}/ns/net"))

    @staticmethod
    def _readlink(link):
        try:
            return os.readlink(link)
        except OSError:
            return None


class ClockTest(unittest.TestCase):
    def test_a_shifted_clock_is_wrong_by_the_shift(self):
        program = "import time; print(time.time(), time.monotonic())"
        for shift_ms in (0, 500, -500):
            command = [*machines.shifted_clock(e2e.BUILD_DIR, shift_ms), sys.executable, "-c", program]
            before = time.time(), time.monotonic()
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            after = time.time(), time.monotonic()
            real, steady = (float(word) for word in done.stdout.split())
            self.assertGreaterEqual(real, before[0] + shift_ms / 1000)
            self.assertLessEqual(real, after[0] + shift_ms / 1000)
            self.assertTrue(before[1] <= steady <= after[1])


if __name__ == "__main__":
    e2e.main()
