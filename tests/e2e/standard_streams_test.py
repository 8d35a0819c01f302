"""Processes with unusual standard streams: a log that nobody reads, or no streams at all."""

import fcntl
import os
import signal

import e2e


class StandardStreamsTest(e2e.NetworkTest):
    def ends(self, process, number):
        """Sends the signal; the process must stop in order. One that waits for a reader would never stop."""
        process.signal(number)
        self.assertEqual(process.wait(e2e.PATIENCE_S), 0, process.log_tail())

    def unread_pipe(self, name):
        """A command that runs another one with a pipe of one page for its standard error. Nobody reads the pipe."""
        path = self.directory / name
        os.mkfifo(path)
        reader = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.addCleanup(os.close, reader)
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
        return ("sh", "-c", f'exec "$@" 2>{path}', "sh")

    def test_a_log_that_nobody_reads(self):
        net = self.make_network(clients=1, beacon_prefix=self.unread_pipe("beacon-log"))
        net.client_prefixes = [self.unread_pipe("client-log")]
        net.places[0].arguments = net.client_arguments = ("--log-level", "debug")
        net.start()
        finalized = self.wait_for_finality().finalized.slot
        self.wait_for_finality(above=finalized + 2)  # with every vote, long after the pipes are full
        self.ends(net.clients[0], signal.SIGTERM)
        self.ends(net.beacon, signal.SIGTERM)

    def test_closed_standard_descriptors(self):
        closed = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
        net = self.make_network(clients=1, beacon_prefix=closed)
        net.client_prefixes = [closed]
        net.start()
        self.wait_for_finality()
        for process in (net.clients[0], net.beacon):
            for number in range(3):
                self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{number}"), "/dev/null")
        self.ends(net.clients[0], signal.SIGHUP)
        self.ends(net.beacon, signal.SIGHUP)


if __name__ == "__main__":
    e2e.main()
