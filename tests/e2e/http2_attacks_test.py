"""The known attacks on HTTP/2 against a port with TLS, by callers without a certificate. gRPC reads none of their frames:
no duty is missed, and memory stays flat.

Environment: LEAN_ATTACK_S (seconds of each attack).
"""

import json
import os
import pathlib
import subprocess
import time

import e2e
import usage
from duty_log import DutyLog, expect_none_missed

SECONDS = float(os.environ.get("LEAN_ATTACK_S", "3"))
KINDS = ("hpack-2gib", "small-headers", "rapid-reset", "empty-settings")
# Generous, because the attackers alone occupy a processor.
SLOT_MS = 2000
MAX_GROWTH = 64 << 20  # bytes of memory
PROGRAM = pathlib.Path(__file__).parent / "support" / "http2_attack.py"


class Http2AttacksTest(e2e.NetworkTest):
    def test_without_a_certificate(self):
        net = self.make_network(clients=1, slot_ms=SLOT_MS)
        net.make_certificates()
        net.start()
        self.wait_for(lambda s: s.slot >= 2 and s.votes_in_previous_slot == 4, "the first votes")
        self.before = usage.rss(net.beacon.pid)
        print("attack          connections  sent MB  answered  memory MiB", flush=True)
        expect_none_missed(self.attack_in_each_way)

    def attack_in_each_way(self):
        """Returns the duties that were missed."""
        net = self.network
        first = net.rpc.status().slot
        for kind in KINDS:
            counts, peak = self.attack(kind)
            print(f"{kind:15} {counts['connections']:11} {counts['bytes'] / 1e6:8.1f} {counts['answered']:9} "
                  f"{peak / 2**20:11.0f}", flush=True)
            self.assertGreater(counts["connections"], 0)
            self.assertEqual(counts["answered"], 0, "no frame of HTTP/2 was answered")
            self.assertLess(peak, self.before + MAX_GROWTH)
        last = net.rpc.status().slot - 1
        return DutyLog(net.clients[0].log_path, net.settings.validators).missed(first, last)

    def attack(self, kind):
        """What the attack counted, and the most memory that the beacon had meanwhile."""
        net = self.network
        attacker = subprocess.Popen(
            ["/usr/bin/python3", PROGRAM, kind, net.settings.host, str(net.settings.port), str(SECONDS)],
            stdout=subprocess.PIPE)
        self.addCleanup(attacker.kill)
        peak = 0
        while attacker.poll() is None:
            peak = max(peak, usage.rss(net.beacon.pid))
            time.sleep(0.1)  # between two samples
        return json.loads(attacker.communicate()[0]), peak


if __name__ == "__main__":
    e2e.main()
