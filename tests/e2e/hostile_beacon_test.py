"""A client has beacons that send without end, and one that sends nothing, before a good one. Every duty is done with
the good one."""

import e2e
import http2_flood
from duty_log import DutyLog, expect_none_missed
from leandev.processes import Process, wait_until

SLOT_MS = 1600
SLOTS = 4
# Each kind could occupy the client's threads for as long as it lasts.
KINDS = ("silence", "continuation", "empty_continuation", "empty_data", "pings")
MAX_RESIDENT_KB = 300 << 10


def resident_kb(pid):
    """The peak memory of a process."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


class HostileBeaconTest(e2e.NetworkTest):
    def start_flood(self, kind):
        """Returns its HOST:PORT."""
        log = self.directory / f"{kind}.log"
        flood = Process(kind, ["/usr/bin/python3", http2_flood.__file__, kind], log)
        self.addCleanup(flood.kill)
        port = wait_until(lambda: log.read_text(encoding="utf-8"), e2e.PATIENCE_S, f"{kind} to listen")
        return f"127.0.0.1:{port.strip()}"

    def test_every_duty_is_done_with_the_good_one(self):
        floods = [self.start_flood(kind) for kind in KINDS]
        net = self.make_network(clients=1, slot_ms=SLOT_MS)
        net.start_beacon()
        log_path = self.directory / "client.log"
        command = [e2e.BUILD_DIR / "bin" / "lean-validator", "run", "--keystores", net.keystores[0], "--genesis", net.genesis_dir]
        for address in (*floods, net.settings.address):
            command += ["--beacon", address]
        net.clients[0] = client = Process("client", command, log_path)
        log = DutyLog(log_path, net.settings.validators)
        wait_until(log.blocks, e2e.PATIENCE_S, "the first block")

        def missed():
            first = max(log.blocks())
            self.wait_for(lambda s: s.slot > first + SLOTS, "slots to pass")
            return log.missed(first, first + SLOTS - 1)

        expect_none_missed(missed, log.text)
        self.assertLess(resident_kb(client.pid), MAX_RESIDENT_KB)
        self.assertEqual(client.stop(), 0, log.text())


if __name__ == "__main__":
    e2e.main()
