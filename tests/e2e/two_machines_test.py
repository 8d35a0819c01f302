"""A beacon and its validator clients on two machines, with certificates, as docs/two_machines.md has it: two network
namespaces with a cable between them."""

import ctypes
import os
import subprocess

import e2e

BEACON_HOST = "10.77.0.1"
CLIENT_HOST = "10.77.0.2"


CLONE_NEWNET = 0x40000000  # linux/sched.h


def enter_namespace(space):
    """Moves this thread, and the threads and processes that it starts from now on, to the open network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(space.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"setns: {os.strerror(ctypes.get_errno())}")


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


class TwoMachinesTest(e2e.NetworkTest):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("network namespaces need root")
        self.beacon_space, self.client_space = (f"lean-{role}-{os.getpid()}" for role in ("beacon", "client"))
        for space in (self.beacon_space, self.client_space):
            made = run("ip", "netns", "add", space)
            if made.returncode != 0:
                self.skipTest(f"no network namespaces here: {made.stdout.strip()}")
            self.addCleanup(run, "ip", "netns", "delete", space)
        link = ("ip", "link", "add", "lean0", "netns", self.beacon_space, "type", "veth", "peer", "name", "lean0", "netns",
                self.client_space)
        made = run(*link)
        if made.returncode != 0:
            self.skipTest(f"no veth here: {made.stdout.strip()}")
        for space, host in ((self.beacon_space, BEACON_HOST), (self.client_space, CLIENT_HOST)):
            for command in (("addr", "add", f"{host}/24", "dev", "lean0"), ("link", "set", "lean0", "up")):
                done = run("ip", "-n", space, *command)
                self.assertEqual(done.returncode, 0, done.stdout)

    def test_finalizes_across_the_network(self):
        # This test runs on the clients' machine. Only the beacon runs on the other one.
        home = self.enterContext(open("/proc/self/ns/net", encoding="utf-8"))
        with open(f"/var/run/netns/{self.client_space}", encoding="utf-8") as space:
            enter_namespace(space)
        self.addCleanup(enter_namespace, home)
        net = self.make_network(beacon_prefix=("ip", "netns", "exec", self.beacon_space), host=BEACON_HOST, port=5052)
        net.make_certificates()
        net.start()
        first = self.wait_for_finality()
        self.wait_for_finality(above=first.finalized.slot)
        self.wait_for_missing([])
        node = net.rpc.node_info()
        self.assertIn(BEACON_HOST, node.rpc_address)
        self.assertTrue(node.tls)
        self.assertFalse(node.insecure_rpc)


if __name__ == "__main__":
    e2e.main()
