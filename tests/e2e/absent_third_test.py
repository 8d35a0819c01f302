"""More than a third of the validators are absent: finality stops. It resumes when they are back."""

import e2e

# Votes that were cast before the client was killed may still justify and finalize for this many slots.
SETTLING_SLOTS = 4
QUIET_SLOTS = 8


class AbsentThirdTest(e2e.NetworkTest):
    def test_finality_stops_and_resumes(self):
        net = self.start_network(clients=2)
        self.wait_for_finality()

        net.clients[1].kill()
        gone = self.wait_for_missing([2, 3])
        settled = self.wait_for(lambda s: s.head.slot >= gone.slot + SETTLING_SLOTS, "the last votes to be counted")
        # The others go on proposing.
        quiet = self.wait_for(
            lambda s: s.slot >= settled.slot + QUIET_SLOTS and s.head.slot > settled.head.slot,
            f"{QUIET_SLOTS} slots without them")
        self.assertEqual(quiet.finalized, settled.finalized)
        self.assertEqual(quiet.justified, settled.justified)

        net.start_client(1)
        self.wait_for_missing([])
        self.wait_for_finality(above=quiet.finalized.slot)


if __name__ == "__main__":
    e2e.main()
