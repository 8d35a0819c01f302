// What the page knows of the chain: the newest blocks, and the newest vote of each validator. It knows no DOM.

export const MOST_BLOCKS = 1000;

// "0-3,7" -> calls visit(0), visit(1), visit(2), visit(3), visit(7).
export function visitRanges(text, visit) {
  if (text === "") return;
  for (const range of text.split(",")) {
    const [first, last = first] = range.split("-").map(Number);
    for (let index = first; index <= last; ++index) visit(index);
  }
}

// The inverse of visitRanges: sorted numbers -> "0-3,7".
export function toRanges(numbers) {
  const ranges = [];
  for (let i = 0; i < numbers.length; ++i) {
    const first = numbers[i];
    while (i + 1 < numbers.length && numbers[i + 1] === numbers[i] + 1) ++i;
    ranges.push(first === numbers[i] ? `${first}` : `${first}-${numbers[i]}`);
  }
  return ranges.join(",");
}

export class Chain {
  constructor(validators) {
    this.validators = validators;
    this.blocks = new Map(); // root -> {root, slot, parent, proposer, lane, weight}
    this.marks = { head: null, safeTarget: null, justified: null, finalized: null }; // {slot, root}
    this.voteSlots = new Float64Array(validators).fill(-1);
    this.voteHeads = new Array(validators).fill(null); // root of the block that the newest vote names as head
    this.laneEnds = []; // by lane: slot of its last block
    this.canonical = new Set(); // roots of the head and its ancestors
  }

  addBlock(root, slot, parent, proposer) {
    if (this.blocks.has(root)) return;
    this.blocks.set(root, { root, slot, parent, proposer, lane: this.laneFor(parent, slot), weight: 0 });
    // The proposer's vote is in the block's body, and names the block as head.
    this.addVote(proposer, slot, root);
    if (this.blocks.size > MOST_BLOCKS) this.dropOldest();
  }

  // The first child of a block continues the lane of its parent. Another child gets the lowest free lane.
  laneFor(parentRoot, slot) {
    const parent = this.blocks.get(parentRoot);
    let lane = 0;
    if (parent !== undefined && this.laneEnds[parent.lane] <= parent.slot) {
      lane = parent.lane;
    } else {
      const start = parent === undefined ? slot - 1 : parent.slot;
      while (this.laneEnds[lane] > start) ++lane;
    }
    this.laneEnds[lane] = Math.max(slot, this.laneEnds[lane] ?? 0);
    return lane;
  }

  dropOldest() {
    let oldest = null;
    for (const block of this.blocks.values()) {
      if (oldest === null || block.slot < oldest.slot) oldest = block;
    }
    this.blocks.delete(oldest.root);
  }

  addVote(validator, slot, head) {
    if (validator >= this.validators || slot <= this.voteSlots[validator]) return;
    this.voteSlots[validator] = slot;
    this.voteHeads[validator] = head;
  }

  mark(name, slot, root) {
    this.marks[name] = { slot, root };
  }

  // Computes the weight of each block, and which blocks are canonical.
  update() {
    for (const block of this.blocks.values()) block.weight = 0;
    for (const root of this.voteHeads) {
      const block = root === null ? undefined : this.blocks.get(root);
      if (block !== undefined) block.weight += 1;
    }
    const descending = [...this.blocks.values()].sort((a, b) => b.slot - a.slot);
    for (const block of descending) {
      const parent = this.blocks.get(block.parent);
      if (parent !== undefined) parent.weight += block.weight;
    }
    this.canonical.clear();
    let block = this.marks.head === null ? undefined : this.blocks.get(this.marks.head.root);
    while (block !== undefined) {
      this.canonical.add(block.root);
      block = this.blocks.get(block.parent);
    }
  }

  // The validators whose newest vote names this block as head, in order.
  votersOf(root) {
    const voters = [];
    for (let index = 0; index < this.validators; ++index) {
      if (this.voteHeads[index] === root) voters.push(index);
    }
    return voters;
  }

  childrenOf(root) {
    return [...this.blocks.values()].filter((block) => block.parent === root).sort((a, b) => b.weight - a.weight);
  }
}
