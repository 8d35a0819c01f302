"""Floods against a network engine, one after the other. No client misses a duty, the honest link stays, and engine and
beacon stay within their memory. Prints what each flood sent and cost.

Environment: LEAN_FLOODS (names), LEAN_FLOOD_CONNECTIONS (numbers of connections), LEAN_FLOOD_S (seconds).
"""

import os
import pathlib
import re
import socket
import stat

import e2e
import hostile
from leandev.processes import wait_until

FLOODS = os.environ.get("LEAN_FLOODS", "in-flight,resets").split(",")
CONNECTIONS = [int(count) for count in os.environ.get("LEAN_FLOOD_CONNECTIONS", "8").split(",")]
SECONDS = int(os.environ.get("LEAN_FLOOD_S", "5"))
SMALL_BUDGET_MIB = 128
# From lean-p2p: unread bytes of a connection.
WINDOW_BYTES = 4 * hostile.MIB


class HostileFloodsTest(hostile.HostileTest):
    def test_floods(self):
        self.start_pair()
        print("flood            conns   sent MB streams messages  ended refused engine MiB beacon MiB", flush=True)
        for name in FLOODS:
            for connections in CONNECTIONS:
                self.begin()
                self.expect_unharmed(max(CONNECTIONS), lambda name=name, count=connections: self.flood(name, count))

    def flood(self, name, connections):
        refused = self.refused()
        done = self.attack(name, connections=connections, seconds=SECONDS).done()
        memory = self.most_memory()
        print(f"{name:16} {connections:5} {done['bytes_out'] / 1e6:9.1f} {done['streams']:7} {done['messages']:8} "
              f"{done['ended']:6} {self.refused() - refused:7} {memory['engine'] / hostile.MIB:10.0f} "
              f"{memory['beacon'] / hostile.MIB:10.0f}", flush=True)

    def refused(self):
        """Connections that the engine has refused: those that it logged, and the number that it did not log."""
        log = self.net.engines[0].log
        left_out = re.findall(r"lines_left_out cause=connection_refused lines=(\d+)", log)
        return log.count(" connection_refused ") + sum(map(int, left_out))

    def test_above_its_budget_the_engine_sends_strangers_away(self):
        self.start_pair(engine_arguments=("--memory", SMALL_BUDGET_MIB))
        connections = 24

        def until_short_of_memory():
            attack = self.attack("in-flight", connections=connections, seconds=e2e.PATIENCE_S)
            self.addCleanup(attack.stop)
            self.wait_for_end("in-flight", "the engine is short of memory")
            slot = self.net.rpc.status().slot
            self.wait_for(lambda s: s.slot > slot + 2, "two slots more")
            attack.stop()

        self.expect_unharmed(connections, until_short_of_memory)
        engine = self.most_memory()["engine"]
        print(f"the engine had {engine / hostile.MIB:.0f} MiB at most", flush=True)
        # What arrives between two checks: the windows of all connections, in buffers that double.
        self.assertLess(engine, SMALL_BUDGET_MIB * hostile.MIB + connections * 2 * WINDOW_BYTES)
        # Its memory is free again, and strangers can connect.
        wait_until(lambda: self.attack("connections", seconds=1).done()["standing"] == 1, e2e.PATIENCE_S,
                   "a stranger to be let in")

    def test_others_reach_nothing_but_the_port_for_peers(self):
        self.start_pair()
        rpc, peers = (int(address.rsplit(":", 1)[1]) for address in (self.net.places[0].rpc_address, self.target))
        self.assertEqual(listening(self.net.beacon.pid), {("tcp", rpc)})
        self.assertEqual(listening(self.net.engines[0].process.pid), {("udp", peers)})
        path = self.net.engines[0].socket
        self.assertEqual([stat.S_IMODE(place.stat().st_mode) for place in (path, path.parent)], [0o600, 0o700])
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", peers))


def listening(pid):
    """The ports on which a process listens or receives datagrams: {(protocol, port)}."""
    links = (os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd"))
    inodes = {match[1] for match in map(re.compile(r"socket:\[(\d+)\]").match, links) if match}
    found = set()
    # The states of a listening TCP socket and of an unconnected UDP socket.
    for protocol, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in pathlib.Path(f"/proc/net/{protocol}").read_text(encoding="ascii").splitlines()[1:]:
            words = line.split()
            if words[3] == state and words[9] in inodes:
                found.add((protocol[:3], int(words[1].rsplit(":", 1)[1], 16)))
    return found


if __name__ == "__main__":
    e2e.main()
