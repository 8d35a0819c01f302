"""Sites: each has a beacon with its network engine and a validator client, on one machine each. One WAN joins them.

    WAN 10.77.0.0/24    engines (or the router before one), .1 to .N: the network that is impaired and partitioned
    LAN 10.77.S.0/24    of site S, counted from 1: beacon .1, client .2, router .3, and .9 is this test, which watches

The test reaches every beacon through the beacon's own LAN, so that trouble on the WAN does not affect its observations.
"""

import functools

import e2e
import machines
from leandev.processes import wait_until
from watch import Watch

RPC_PORT = 5052
PEER_PORT = 9000


@functools.lru_cache(maxsize=None)
def observer():
    """The machine of this process. The process enters it once, because threads of gRPC stay where they were started."""
    machine = machines.Machine("observer")
    machine.enter()
    return machine


class Sites:
    """The machines and their network."""

    def __init__(self, count, behind_nat=()):
        """`behind_nat`: sites, counted from 0, whose beacons reach the WAN through a router that accepts nothing
        from outside."""
        self.switch = machines.Switch(e2e.BUILD_DIR)
        self._machines = []
        self._beacons = []
        self._clients = []
        self._wan = []  # ports, by site
        self._behind_nat = behind_nat
        try:
            for site in range(count):
                self._make_site(site)
        except (machines.Unavailable, OSError):
            self.close()
            raise

    def _machine(self, name):
        machine = machines.Machine(name)
        self._machines.append(machine)
        return machine

    def _make_site(self, site):
        beacon, client = self._machine(f"beacon-{site}"), self._machine(f"client-{site}")
        self._beacons.append(beacon)
        self._clients.append(client)
        lan = f"lan-{site}"
        for machine, host in ((beacon, 1), (client, 2)):
            self.switch.attach(machine, lan, "lan", f"10.77.{site + 1}.{host}/24")
        self.switch.attach(observer(), lan, lan, f"10.77.{site + 1}.9/24")
        gate = self._make_router(site, beacon, lan) if site in self._behind_nat else beacon
        self._wan.append(self.switch.attach(gate, "wan", "wan", f"{self._wan_host(site)}/24"))

    def _make_router(self, site, beacon, lan):
        router = self._machine(f"router-{site}")
        self.switch.attach(router, lan, "lan", f"10.77.{site + 1}.3/24")
        router.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        beacon.run("ip", "route", "add", "default", "via", f"10.77.{site + 1}.3")
        for rule in (
            ("add", "table", "ip", "nat"),
            ("add", "chain", "ip", "nat", "out", "{ type nat hook postrouting priority srcnat ; }"),
            ("add", "rule", "ip", "nat", "out", "oifname", "wan", "masquerade"),
            ("add", "chain", "ip", "nat", "in", "{ type filter hook forward priority filter ; policy drop ; }"),
            ("add", "rule", "ip", "nat", "in", "ct", "state", "established,related", "accept"),
            ("add", "rule", "ip", "nat", "in", "iifname", "lan", "accept"),
        ):
            router.run("nft", *rule)
        return router

    def _wan_host(self, site):
        return f"10.77.0.{site + 1}"

    def place(self, network):
        """Places a network's beacons and clients on the machines: client N belongs to beacon N."""
        for site, place in enumerate(network.places):
            place.rpc_address = f"10.77.{site + 1}.1:{RPC_PORT}"
            place.arguments = (*place.arguments, "--insecure-rpc")  # of a LAN of its own
            place.listen = f"0.0.0.0:{PEER_PORT}"
            place.announce = "" if site in self._behind_nat else f"{self._wan_host(site)}:{PEER_PORT}"
            place.prefix = self._beacons[site].prefix
            network.client_prefixes[site] = self._clients[site].prefix

    def part(self, *groups):
        """Partitions the WAN into groups of sites."""
        self.switch.part(*([self._wan[site] for site in group] for group in groups))

    def heal(self):
        self.switch.heal()

    def close(self):
        self.switch.close()
        for machine in self._machines:
            machine.close()


class SitesTest(e2e.NetworkTest):
    """A test with beacons and clients at sites. At its end no two beacons may have finalized conflicting blocks, and
    no peer may have been blamed."""

    def start_sites(self, slot_ms, count=4, behind_nat=(), impairment=None, **settings):
        """Starts a network with one beacon and one client with one validator at each site, and a watch over it, and
        waits until it finalizes. From then on duties count."""
        try:
            self.sites = Sites(count, behind_nat)
        except machines.Unavailable as error:
            self.skipTest(str(error))
        self.addCleanup(self.sites.close)
        print(f"network: {self.sites.switch.means}", flush=True)
        if impairment is not None:
            self.sites.switch.impair("wan", **impairment)
        # Every program should have started before genesis, also on a busy machine.
        net = self.make_network(
            clients=count, beacons=count, validators=count, slot_ms=slot_ms, genesis_delay_s=6, **settings)
        self.sites.place(net)
        self.prepare(net)
        net.start()
        self.watch = Watch(net)
        self.addCleanup(self.watch.stop)
        self.expect_finality(after=0, what="first finality")
        self.watch.count_duties()
        return net

    def prepare(self, net):
        """Called before a network starts, so that a test can change it."""

    def slot(self):
        """The network's slot, by the clock of this machine."""
        return self.watch.slot()

    def wait_for_slot(self, slot):
        wait_until(lambda: self.slot() >= slot, e2e.PATIENCE_S, f"slot {slot}")

    def shift_clock(self, net, site, shift_ms):
        """Shifts the clock of a site's programs that are started from now on."""
        shifted = machines.shifted_clock(e2e.BUILD_DIR, shift_ms)
        net.places[site].prefix += shifted
        net.client_prefixes[site] += shifted

    def wait_for_slots(self, slots):
        self.wait_for_slot(self.slot() + slots)

    def expect_finality(self, beacons=None, within=None, after=None, what="finality"):
        """Waits until each of `beacons` (all) has finalized a block of a slot after `after` (now), `within` slots from
        then. Returns how many slots it took."""
        beacons = range(self.network.settings.beacons) if beacons is None else beacons
        after = max(self.slot(), 0) if after is None else after
        latest = dict.fromkeys(beacons, 0)

        def reached():
            for number in beacons:
                latest[number] = self.watch.finalized_slot(number)
            return all(slot > after for slot in latest.values())

        try:
            wait_until(reached, e2e.PATIENCE_S, what)
        except TimeoutError as error:
            self.fail(f"{error}: the beacons have finalized the slots {latest}, and those after {after} were awaited")
        took = self.slot() - after
        print(f"{what}: {took} slots, at slot {self.slot()}", flush=True)
        if within is not None:
            self.assertLessEqual(took, within, what)
        return took

    def expect_recovery_from_halves(self, parted_slots, within):
        """Partitions the four sites into halves, heals them after this many slots, and awaits finality within
        `within` slots."""
        self.sites.part((0, 1), (2, 3))
        parted = self.slot()
        self.wait_for_slots(parted_slots)
        for number in range(4):
            # Votes of the slot of the partition may still have been delivered.
            self.assertLessEqual(self.watch.finalized_slot(number), parted)
        self.sites.heal()
        self.expect_finality(within=within, what="finality after the halves were joined")
        self.expect_agreement()

    def expect_agreement(self):
        """No two beacons have finalized conflicting blocks at any time, and no peer was blamed. Prints the duties."""
        self.watch.stop()
        self.assertEqual(self.watch.conflicts(), [])
        self.assertEqual(self.watch.blames(), [])
        print(self.watch.report(), flush=True)
