"""The clock of one machine, with its beacon and its client, jumps far ahead, while the clocks of the others are right.

Its keys sign nothing for future slots, and its beacon reports why it serves no duties. When the clock is set back,
everything continues at once.
"""

import e2e
import machines
from leandev.processes import wait_until

WRONG = 2
# Within the active slots of the keys: a key that signed such a slot could not sign for minutes.
JUMP_MS = 500 * e2e.SLOT_MS
VALIDATORS = 6  # two at each client: without the wrong ones, two thirds are left


class ClockJumpTest(e2e.NetworkTest):
    def make(self):
        net = self.make_network(clients=3, beacons=3, validators=VALIDATORS)
        self.clock = machines.SettableClock(e2e.BUILD_DIR, self.directory / "clock")
        net.places[WRONG].prefix = self.clock.prefix
        net.client_prefixes[WRONG] = self.clock.prefix
        return net

    def wait_for_status(self, condition, what, number=WRONG):
        def met():
            status = self.network.rpcs[number].try_status()
            return status if status is not None and condition(status) else None

        return wait_until(met, e2e.PATIENCE_S, what)

    def expect_clock_is_refused(self):
        status = self.wait_for_status(lambda s: "sign for other slots" in s.sync.message, "it to doubt its clock")
        self.assertFalse(status.synced)
        self.wait_for_log(WRONG, "clock_wrong")

    def expect_all_goes_on(self):
        """All validators vote in the slots of the true time, and all beacons have these votes."""
        for number in range(3):
            self.wait_for_status(
                lambda s: s.synced and s.votes_in_previous_slot == VALIDATORS and s.finalized.slot > 0,
                f"beacon {number} to see the votes of all", number)
        self.wait_for_finality(above=self.network.rpc.status().slot)
        for beacon in self.network.beacons:
            self.assertNotIn("peer_offence", beacon.log_path.read_text(encoding="utf-8"))

    def test_ahead_and_back_while_it_runs(self):
        net = self.make()
        net.start()
        self.wait_for_finality()
        self.clock.set(JUMP_MS)
        self.expect_clock_is_refused()
        # For the others this is like a third of the validators being offline.
        missing = list(net.client_indices(WRONG))
        self.wait_for(lambda s: list(s.missing_in_previous_slot) == missing, "the wrong ones to be missed")
        self.wait_for_finality(above=net.rpc.status().slot)
        self.clock.set(0)
        self.expect_all_goes_on()
        self.wait_for_log(WRONG, "time_set_back", "clock_usable")

    def test_ahead_from_the_start(self):
        net = self.make()
        net.start()
        self.wait_for_finality()
        for process in (net.clients[WRONG], net.beacons[WRONG]):
            process.stop()
        self.clock.set(JUMP_MS)
        net.start_beacon(WRONG)
        net.start_client(WRONG)
        self.expect_clock_is_refused()
        self.clock.set(0)
        self.expect_all_goes_on()


if __name__ == "__main__":
    e2e.main()
