// Wires the page: loads the chain once, then follows the beacon's event stream. Each frame draws what has changed.

import { Chain, visitRanges } from "./chain.js";
import { Participation } from "./participation.js";
import { SlotClock } from "./slot_clock.js";
import { short, Tree } from "./tree.js";

const API = "/lean/v0";
const ALL_TOPICS = [
  "head", "block", "attestation", "justified_checkpoint", "finalized_checkpoint", "chain_reorg", "peer", "sync", "block_gossip",
  "safe_target", "block_votes",
];
const MARK_OF_TOPIC = {
  head: "head", safe_target: "safeTarget", justified_checkpoint: "justified", finalized_checkpoint: "finalized",
};
const RETRY_MS = 2000;
// Votes arrive by the thousand: what they change is drawn together.
const DRAW_MS = 200;

const $ = (id) => document.getElementById(id);

async function get(path) {
  const answer = await fetch(API + path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

class Page {
  constructor() {
    this.tree = new Tree($("tree"), $("tip"), $("follow"), (block) => this.showBlock(block));
    this.participation = new Participation($("grid"), $("grid-text"), $("slots"), $("absent"));
    this.clock = new SlotClock($("slot"), $("interval-name"), $("intervals"), (slot) => this.onSlot(slot));
    this.reorgs = 0;
    this.scheduled = false;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.participation.redraw());
  }

  async run() {
    for (;;) {
      try {
        await this.load();
        this.setLink("live", false);
        await this.follow();
      } catch (error) {
        this.setLink(`no answer from the beacon (${error.message}), trying again`, true);
      } finally {
        this.source.close();
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  // The stream is opened first, so that nothing is missed between the two.
  async load() {
    this.source = new EventSource(`${API}/events?topics=${ALL_TOPICS.join(",")}`);
    this.early = []; // events that arrive before the chain is loaded
    this.lastNumber = null;
    this.broken = new Promise((resolve) => {
      this.source.onerror = () => resolve("the connection to the beacon is lost");
      this.gap = resolve;
    });
    for (const topic of ALL_TOPICS) this.source.addEventListener(topic, (event) => this.onEvent(topic, event));
    const opened = new Promise((resolve) => (this.source.onopen = resolve));
    const lost = await Promise.race([opened.then(() => null), this.broken]);
    if (lost !== null) throw new Error(lost);

    const [spec, genesis, identity, forkChoice, votes, participation, syncing, peers] = await Promise.all(
      ["/config/spec", "/genesis", "/node/identity", "/fork_choice", "/fork_choice/votes", "/participation", "/node/syncing", "/node/peers"]
        .map(get));
    $("version").textContent = identity.version;
    this.clock.start(genesis.genesis_time, spec.MILLISECONDS_PER_SLOT, spec.INTERVALS_PER_SLOT);
    this.chain = new Chain(genesis.validator_count);
    for (const node of forkChoice.nodes.sort((a, b) => a.slot - b.slot)) {
      this.chain.addBlock(node.root, node.slot, node.parent_root, node.proposer_index);
    }
    for (const vote of votes.votes) {
      visitRanges(vote.validators, (index) => this.chain.addVote(index, vote.slot, vote.head.root));
    }
    this.markFrom(forkChoice);
    this.participation.reset(genesis.validator_count);
    this.participation.advanceTo(this.clock.slot);
    for (const entry of participation.slots) {
      visitRanges(entry.validators, (index) => this.participation.add(entry.slot, index));
    }
    this.tree.reset(this.chain);
    this.peers = new Map(peers.filter((peer) => peer.state === "connected").map((peer) => [peer.peer_id, peer]));
    this.sync = { is_syncing: syncing.is_syncing, lag_slots: syncing.sync_distance };
    const early = this.early;
    this.early = null;
    for (const [topic, data] of early) this.apply(topic, data);
    this.schedule();
  }

  markFrom(forkChoice) {
    const slotOf = (root) => this.chain.blocks.get(root)?.slot ?? 0;
    this.chain.mark("head", slotOf(forkChoice.head), forkChoice.head);
    this.chain.mark("safeTarget", slotOf(forkChoice.safe_target), forkChoice.safe_target);
    this.chain.mark("justified", forkChoice.justified.slot, forkChoice.justified.root);
    this.chain.mark("finalized", forkChoice.finalized.slot, forkChoice.finalized.root);
  }

  async follow() {
    this.setLink(await this.broken, true);
  }

  setLink(text, broken) {
    $("link").textContent = text;
    $("link").classList.toggle("broken", broken);
  }

  // Events are numbered. The page asks for all kinds, so a gap means that the beacon has dropped some for this reader.
  onEvent(topic, event) {
    const number = Number(event.lastEventId.split("-")[1]);
    if (this.lastNumber !== null && number !== this.lastNumber + 1) this.gap("events were missed, loading again");
    this.lastNumber = number;
    const data = JSON.parse(event.data);
    if (this.early !== null) this.early.push([topic, data]);
    else this.apply(topic, data);
  }

  apply(topic, data) {
    switch (topic) {
      case "attestation":
        this.chain.addVote(data.validator_id, data.data.slot, data.data.head.root);
        this.participation.add(data.data.slot, data.validator_id);
        break;
      case "block_votes": // most have come as attestations before
        for (const votes of data.votes) {
          visitRanges(votes.validators, (index) => {
            this.chain.addVote(index, votes.slot, votes.head.root);
            this.participation.add(votes.slot, index);
          });
        }
        break;
      case "block":
        this.addBlock(data.block);
        break;
      case "head":
      case "safe_target":
      case "justified_checkpoint":
      case "finalized_checkpoint":
        this.chain.mark(MARK_OF_TOPIC[topic], data.slot, data.block);
        break;
      case "chain_reorg":
        this.reorgs += 1;
        break;
      case "sync":
        this.sync = data;
        break;
      case "peer":
        if (data.connected) this.peers.set(data.peer_id, data);
        else this.peers.delete(data.peer_id);
        break;
    }
    this.schedule();
  }

  // The event names the block only; its parent and its proposer are in its header.
  async addBlock(root) {
    const chain = this.chain;
    if (chain.blocks.has(root)) return; // an early event
    const header = await get(`/blocks/${root}/header`).catch(() => null);
    if (header === null || chain !== this.chain) return;
    chain.addBlock(root, header.slot, header.parent_root, header.proposer_index);
    this.participation.add(header.slot, header.proposer_index);
    this.schedule();
  }

  onSlot(slot) {
    if (this.chain === undefined) return;
    this.participation.advanceTo(slot);
    this.schedule();
  }

  schedule() {
    if (this.scheduled || this.early !== null) return;
    this.scheduled = true;
    setTimeout(() => {
      this.scheduled = false;
      if (this.early === null) this.draw();
    }, DRAW_MS);
  }

  draw() {
    const { chain } = this;
    chain.update();
    this.tree.draw();
    // In a task of its own, so that neither delays input.
    setTimeout(() => this.participation.draw());
    for (const [key, id] of [["head", "head"], ["safeTarget", "safe-target"], ["justified", "justified"], ["finalized", "finalized"]]) {
      const mark = chain.marks[key];
      $(id).textContent = mark === null ? "–" : `${mark.slot}  ${short(mark.root)}`;
    }
    const lag = Math.max(0, this.clock.slot - chain.marks.finalized.slot);
    $("lag").textContent = `${lag} ${lag === 1 ? "slot" : "slots"}`;
    $("sync").textContent = this.sync.is_syncing ? `${this.sync.lag_slots} slots behind` : "synced";
    $("reorgs").textContent = this.reorgs;
    this.drawPeers();
  }

  drawPeers() {
    $("peer-count").textContent = this.peers.size;
    $("peers").tBodies[0].replaceChildren(
      ...[...this.peers.values()].map((peer) => {
        const row = document.createElement("tr");
        for (const value of [peer.peer_id, peer.agent, peer.address, peer.direction]) row.insertCell().textContent = value ?? "";
        return row;
      }),
    );
  }

  async showBlock(block) {
    const box = $("block");
    const header = await get(`/blocks/${block.root}/header`).catch((error) => ({ error: error.message }));
    const list = document.createElement("dl");
    const voters = this.chain.votersOf(block.root);
    const fields = { root: block.root, ...header, weight: `${block.weight} of ${this.chain.validators}`, "newest votes for it as head": voters.length };
    for (const [name, value] of Object.entries(fields)) {
      list.appendChild(document.createElement("dt")).textContent = name.replaceAll("_", " ");
      list.appendChild(document.createElement("dd")).textContent = value;
    }
    const link = document.createElement("a");
    link.href = `${API}/blocks/${block.root}`;
    link.textContent = "the whole block as JSON";
    box.replaceChildren(list, link);
    box.hidden = false;
  }
}

new Page().run();
