"""The page of a beacon in a browser, while two beacons are parted, fork and agree again.

LEAN_SCREENSHOTS=DIR saves pictures of it for docs/.
"""

import os
import pathlib
import re

import browser
import e2e
import udp_link
from browser import By, Keys
from leandev import network
from leandev.processes import wait_until

VALIDATORS = 5
# Of the beacon whose page is shown. The others have the heavier branch, so that this beacon has to take it, but not two
# thirds of the votes.
OWN_VALIDATORS = 2
PARTED_SLOTS = 8
# Long, so that also a busy machine's browser shows what lasts for a few slots.
SLOT_MS = 1600
# Votes of the last parted slots may still be passed on by themselves when the link is mended.
PASSED_ON_SLOTS = 2


class PageTest(e2e.NetworkTest):
    def setUp(self):
        super().setUp()
        self.page = browser.open_browser(self)

    def start(self):
        """Two beacons with OWN_VALIDATORS and the other validators; a link between them that can be cut. Opens the first
        one's page."""
        net = self.make_network(clients=2, beacons=2, validators=VALIDATORS, slot_ms=SLOT_MS)
        self.http_address = f"127.0.0.1:{network.free_port()}"
        net.places[0].http_address = self.http_address
        self.link, address = udp_link.link_to(self, 0)
        net.places[0].dials = []
        net.places[1].dials = [address]
        net.start()
        self.page.get(f"http://{self.http_address}/")
        return net

    # What the page shows.

    def text(self, element_id):
        return self.page.find_element(By.ID, element_id).get_attribute("textContent")

    def number(self, element_id):
        """The number that a figure begins with; -1: there is none yet."""
        first = self.text(element_id).split()[0]
        return int(first) if first.isdecimal() else -1

    def blocks(self):
        """The blocks of the tree: {root: (slot, lane, weight, classes)}."""
        found = self.page.execute_script(
            "return [...document.querySelectorAll('#tree .block')].map((block) => [block.dataset.root,"
            " Number(block.dataset.slot), Number(block.querySelector('circle').getAttribute('cy')),"
            " Number(block.dataset.weight), block.getAttribute('class')])")
        return {root: (slot, lane, weight, set(classes.split())) for root, slot, lane, weight, classes in found}

    def lanes(self):
        return {lane for _, lane, _, _ in self.blocks().values()}

    def voted(self):
        """The slots that the list of votes names, and how many voted: {slot: count}."""
        items = self.page.execute_script("return [...document.querySelectorAll('#slots li')].map((item) => item.textContent)")
        words = [item.split() for item in items]
        return {int(word[1].rstrip(":")): int(word[2]) for word in words}

    def parted_counts(self, begin, slots=None):
        """How many voted in the slots since the link was cut in slot `begin`, without the first of them; with `slots`, in
        so many slots alone."""
        return [count for slot, count in self.voted().items()
                if slot > begin + 1 and (slots is None or slot <= begin + slots)]

    def expect(self, condition, what):
        return wait_until(condition, e2e.PATIENCE_S, what)

    def screenshot(self, name):
        folder = os.environ.get("LEAN_SCREENSHOTS")
        if folder:
            self.page.save_screenshot(str(pathlib.Path(folder, f"{name}.png")))

    # The tests.

    def test_a_network_that_forks_and_agrees_again(self):
        net = self.start()
        self.expect(lambda: self.number("finalized") > 0, "finality on the page")
        self.expect(lambda: any(count == VALIDATORS for count in self.voted().values()), "a slot with all votes")
        self.assertEqual(self.text("link"), "live")
        self.expect(lambda: 0 <= self.number("lag") < 12, "a small lag of finality")
        self.expect(lambda: self.text("peer-count") == "1", "the peer")
        self.assertIn("lean-p2p", self.page.find_element(By.ID, "peers").text)
        self.check_against_rpc(net)
        self.check_keyboard()
        self.check_pointer()
        self.check_accessibility()

        # Parted, no half has two thirds of the votes, so that nothing is finalized.
        self.assertEqual(len(net.client_indices(0)), OWN_VALIDATORS)
        self.link.cut()
        # By the beacons' clocks, since the page may be late.
        begin = max(rpc.status().slot for rpc in net.rpcs)
        self.expect(lambda: self.number("slot") > begin + PARTED_SLOTS, "the parted slots")
        # A vote that was under way may still arrive in the first of them.
        self.expect(lambda: OWN_VALIDATORS in self.parted_counts(begin), "the votes of this half")
        self.assertLessEqual(max(self.parted_counts(begin)), OWN_VALIDATORS)
        self.expect(lambda: self.number("lag") >= PARTED_SLOTS, "finality to lag")

        # Healed, this half's blocks are left as a branch. The others' votes of the parted slots arrive in blocks alone.
        self.link.mend()
        self.expect(lambda: len(self.lanes()) > 1, "two branches")
        self.expect(lambda: VALIDATORS in self.parted_counts(begin, PARTED_SLOTS - PASSED_ON_SLOTS),
                    "the votes that blocks bring")
        self.expect(lambda: self.number("finalized") > begin + PARTED_SLOTS, "finality after the halves are one")
        for width, height in ((1280, 1120), (390, 1500)):
            browser.set_size(self.page, width, height)
            for scheme in ("light", "dark"):
                browser.set_scheme(self.page, scheme)
                self.screenshot(f"page_{width}_{scheme}")
                self.check_layout(width, scheme)
        self.check_requests()

        # The page outlives a restart of its beacon.
        net.beacons[0].stop()
        self.expect(lambda: self.text("link") != "live", "the page to tell that the beacon is gone")
        net.start_beacon(0)
        self.expect(lambda: self.text("link") == "live", "the page to be live again")
        head = self.number("head")
        self.expect(lambda: self.number("head") > head, "new blocks")

    def check_against_rpc(self, net):
        """The page shows what the beacon answers to a query, as soon as both have seen the same."""

        def agrees():
            before, shown, after = net.rpc.status(), self.blocks(), net.rpc.status()
            if before.head.root != after.head.root or before.finalized.root != after.finalized.root:
                return False
            marked = {name: root for root, (_, _, _, classes) in shown.items() for name in classes}
            return (marked.get("head") == after.head.root and marked.get("justified") == after.justified.root and
                    marked.get("finalized") == after.finalized.root and marked.get("safe-target") == after.safe_target.root)

        self.expect(agrees, "the marks of the page to be those of the beacon")

    def check_keyboard(self):
        """Arrow keys move through the tree, and Enter shows the block."""
        focused = self.page.find_element(By.CSS_SELECTOR, "#tree .block[tabindex='0']")
        self.page.execute_script("arguments[0].focus()", focused)
        start = int(focused.get_attribute("data-slot"))
        self.page.switch_to.active_element.send_keys(Keys.ARROW_LEFT)
        active = self.page.switch_to.active_element
        self.assertLess(int(active.get_attribute("data-slot")), start)
        self.assertRegex(active.get_attribute("aria-label"), rf"slot \d+, proposer \d+, weight \d+ of {VALIDATORS}")
        active.send_keys(Keys.ENTER)
        root = active.get_attribute("data-root")
        self.expect(lambda: root in self.text("block"), "the chosen block")
        self.assertIn("state root", self.text("block"))
        # Everything that can be operated is reached by Tab, in the order of the page.
        self.page.execute_script("document.activeElement.blur()")
        reached = []
        for _ in range(8):
            self.page.switch_to.active_element.send_keys(Keys.TAB)
            active = self.page.switch_to.active_element
            reached.append(active.get_attribute("id") or active.get_attribute("class") or active.tag_name)
        self.assertIn("follow", reached)
        self.assertIn("grid", reached)

    def check_pointer(self):
        """The tip of a block tells whose newest votes name it."""
        # A new head is marked before its block is drawn, so there is no head for a moment.
        point = """
            const head = document.querySelector('#tree .block.head');
            head?.dispatchEvent(new MouseEvent(arguments[0], {bubbles: true}));
            const tip = document.getElementById('tip');
            return head && (tip.hidden ? '' : tip.textContent)"""
        wanted = rf"slot \d+.*\nweight \d of {VALIDATORS}\n(head of \d: [0-9,-]+|no newest vote)"
        self.expect(lambda: re.match(wanted, self.page.execute_script(point, "mouseover") or ""), "the tip of the head")
        self.expect(lambda: self.page.execute_script(point, "mouseout") == "", "the tip to go")

    def check_accessibility(self):
        """What a screen reader is told: the roles, names and live regions of the browser's accessibility tree."""
        self.page.execute_cdp_cmd("Accessibility.enable", {})
        by_role = {}

        def names(role):
            return [node.get("name", {}).get("value", "") for node in by_role.get(role, ())]

        def has_all_marks():
            """A new head is marked before its block is drawn, so one may be missing for a moment."""
            nodes = self.page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
            by_role.clear()
            for node in nodes:
                if not node["ignored"]:
                    by_role.setdefault(node["role"]["value"], []).append(node)
            marks = {mark for name in names("button") for mark in name.split(", ")[4:]}
            return marks >= {"head", "safe", "justified", "finalized"}

        def live(node):
            return next((p["value"]["value"] for p in node.get("properties", []) if p["name"] == "live"), "off")

        self.expect(has_all_marks, "blocks with all marks")
        self.assertEqual([name.split()[0] for name in names("heading")], ["lean-beacon", "Blocks", "Votes", "Peers"])
        self.assertTrue({"Slot clock", "Blocks", "Votes of the last 64 slots", "Peers"} <= set(names("region")))
        self.assertIn("follow the newest", names("checkbox"))
        # The tree: a named group whose blocks are buttons that say what a picture shows.
        self.assertTrue(any(name.startswith("Block tree. Arrow keys") for name in names("group")), names("group"))
        blocks = names("button")
        self.assertEqual(len(blocks), len(set(blocks)))
        for name in blocks:
            self.assertRegex(name, rf"^Block 0x\w+…\w+, slot \d+, proposer \d+, weight \d+ of {VALIDATORS}")
        # The picture of the votes has a name, a description, and its content as a list and a table.
        (picture,) = by_role["image"]
        self.assertEqual(picture["name"]["value"], "Votes of the last 64 slots")
        self.assertRegex(picture["description"]["value"], r"^slot \d+: \d+ of \d+ voted")
        self.assertIn("Votes by slot", names("list"))
        self.assertEqual(names("table"), ["Validators that missed most of these slots", "Peers"])
        self.assertTrue({"validator", "missed", "peer", "agent"} <= set(names("columnheader")), names("columnheader"))
        # Nothing that can be operated is without a name.
        for role in ("button", "checkbox", "link", "image", "table", "group"):
            self.assertNotIn("", names(role), role)
        # Read aloud by itself: the state of the connection, and nothing that changes with every slot.
        (status,) = by_role["status"]
        self.assertEqual(live(status), "polite")
        aloud = self.page.find_elements(By.CSS_SELECTOR, "[aria-live=polite], [role=status]")
        self.assertEqual({element.get_attribute("id") for element in aloud}, {"link", "block"})
        grid = self.page.find_element(By.ID, "grid")
        grid.send_keys(Keys.ARROW_LEFT)
        text = self.page.find_element(By.ID, "grid-text")
        self.assertEqual(text.get_attribute("aria-live"), "polite")
        self.page.execute_script("document.activeElement.blur()")
        self.assertEqual(text.get_attribute("aria-live"), "off")
        self.page.execute_cdp_cmd("Accessibility.disable", {})

    def check_layout(self, width, scheme):
        shown = self.page.execute_script(
            "return [document.documentElement.scrollWidth, getComputedStyle(document.body).backgroundColor]")
        self.assertLessEqual(shown[0], width, "the page is wider than the screen")
        brightness = sum(int(part) for part in shown[1].strip("rgb()").split(","))
        self.assertEqual(brightness > 3 * 128, scheme == "light", shown)

    def check_requests(self):
        """Nothing comes from elsewhere, the chain is not polled, and the browser complains about nothing."""
        names = self.page.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        strangers = [name for name in names if not name.startswith(f"http://{self.http_address}/")]
        self.assertEqual(strangers, [])
        # Once, and again only when a browser that was too slow has missed events.
        self.assertIn(sum(name.endswith("/fork_choice") for name in names), range(1, 5))
        self.assertEqual(browser.errors(self.page), [])


if __name__ == "__main__":
    e2e.main()
