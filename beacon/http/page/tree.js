// The block tree as SVG: time to the right, forks as branches, weight as thickness.

import { toRanges } from "./chain.js";

const SVG = "http://www.w3.org/2000/svg";
const STEP = 34; // pixels between slots
const LANE = 44; // pixels between lanes
const TOP = 36;
const RADIUS = 7;
const THICKEST = 12;
// The picture grows and shrinks by this many slots, because every change of its size is a layout of all blocks.
const ROOM = 32;
// The coordinates of SVG are floats, so they count from a slot close to the blocks.
const MOST_SLOTS = 20000;
const MARKS = [
  ["head", "head", "head"],
  ["safeTarget", "safe-target", "safe"],
  ["justified", "justified", "justified"],
  ["finalized", "finalized", "finalized"],
];

export const short = (root) => `${root.slice(0, 6)}…${root.slice(-4)}`;

function element(name, attributes, parent) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  parent.append(node);
  return node;
}

// Sets an attribute if it changes, because each change costs a layout.
function set(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export class Tree {
  // `show(block)` is called when a block is chosen.
  constructor(box, tip, follow, show) {
    this.box = box;
    this.svg = box.querySelector("svg");
    this.tip = tip;
    this.follow = follow;
    this.show = show;
    this.chain = null;
    this.focused = null; // root of the block that Tab reaches: the head, until another is chosen
    this.moved = false;
    this.svg.addEventListener("keydown", (event) => this.onKey(event));
    this.svg.addEventListener("click", (event) => this.choose(this.rootOf(event)));
    for (const name of ["mouseover", "focusin"]) this.svg.addEventListener(name, (event) => this.showTip(event));
    for (const name of ["mouseout", "focusout"]) this.svg.addEventListener(name, () => (this.tip.hidden = true));
    this.reset(null);
  }

  reset(chain) {
    this.chain = chain;
    this.svg.replaceChildren();
    this.edges = element("g", {}, this.svg);
    this.nodes = element("g", {}, this.svg);
    this.drawn = new Map(); // root -> its elements and what they show
    this.base = null;
    this.complete = false; // whether it was drawn once
  }

  x(slot) {
    return (slot - this.base) * STEP;
  }

  y(block) {
    return TOP + block.lane * LANE;
  }

  draw() {
    const { chain } = this;
    let first = Infinity;
    let last = 0;
    let lanes = 1;
    for (const block of chain.blocks.values()) {
      first = Math.min(first, block.slot);
      last = Math.max(last, block.slot);
      lanes = Math.max(lanes, block.lane + 1);
    }
    if (first === Infinity) return;
    if (this.base !== null && first - this.base > MOST_SLOTS) this.reset(chain);
    if (this.base === null) this.base = first;

    for (const [root, parts] of this.drawn) {
      if (!chain.blocks.has(root)) this.remove(root, parts);
    }
    const marks = new Map(); // root -> [class, text]
    for (const [key, name, text] of MARKS) {
      const root = chain.marks[key]?.root;
      if (root !== undefined) marks.set(root, [...(marks.get(root) ?? []), [name, text]]);
    }
    for (const block of chain.blocks.values()) this.drawBlock(block, marks.get(block.root) ?? []);
    // A new head may be marked before its block is known. Until then the one before it keeps the focus.
    const head = chain.marks.head?.root;
    if (this.drawn.has(head) && (!this.moved || !this.drawn.has(this.focused))) {
      this.setFocused(head);
      this.moved = false;
    }

    this.complete = true;
    const left = this.x(first - (first % ROOM) - 1);
    const right = this.x(last - (last % ROOM) + ROOM + 1);
    const height = TOP + lanes * LANE;
    set(this.svg, "viewBox", `${left} 0 ${right - left} ${height}`);
    set(this.svg, "width", `${right - left}`);
    set(this.svg, "height", `${height}`);
    if (this.follow.checked) this.box.scrollLeft = this.x(last) + 2 * STEP - left - this.box.clientWidth;
  }

  // Most blocks stay as they are, so nothing is written that has not changed.
  drawBlock(block, marks) {
    const parts = this.drawn.get(block.root) ?? this.add(block);
    if (!parts.joined) this.join(block, parts);
    const names = marks.map(([name]) => ` ${name}`).join("");
    const canonical = this.chain.canonical.has(block.root);
    const kind = (canonical ? " canonical" : "") + names;
    if (parts.weight === block.weight && parts.kind === kind) return;
    if (parts.kind !== kind) {
      parts.group.setAttribute("class", `block${kind}${parts.fresh}`);
      parts.edge.setAttribute("class", canonical ? "canonical" : "");
      parts.mark.textContent = marks.map(([, text]) => text).join(", ");
    }
    if (parts.weight !== block.weight) {
      parts.group.dataset.weight = block.weight;
      parts.edge.setAttribute("stroke-width", (1 + ((THICKEST - 1) * block.weight) / this.chain.validators).toFixed(1));
    }
    const facts = `slot ${block.slot}, proposer ${block.proposer}, weight ${block.weight} of ${this.chain.validators}`;
    parts.group.setAttribute("aria-label", [`Block ${short(block.root)}`, facts, ...marks.map(([, text]) => text)].join(", "));
    parts.weight = block.weight;
    parts.kind = kind;
  }

  // Draws the line from the parent, if that is known.
  join(block, parts) {
    const parent = this.chain.blocks.get(block.parent);
    if (parent === undefined) return;
    const [x0, y0, x1, y1] = [this.x(parent.slot), this.y(parent), this.x(block.slot), this.y(block)];
    const bend = Math.min(STEP / 2, x1 - x0);
    const curve = `C${x0 + bend / 2} ${y0} ${x0 + bend / 2} ${y1} ${x0 + bend} ${y1}`;
    parts.edge.setAttribute("d", `M${x0} ${y0}${y0 === y1 ? "" : curve}H${x1}`);
    parts.joined = true;
  }

  add(block) {
    const edge = element("path", {}, this.edges);
    const group = element("g", { "data-root": block.root, "data-slot": block.slot, role: "button", tabindex: -1 }, this.nodes);
    const [x, y] = [this.x(block.slot), this.y(block)];
    const circle = element("circle", { cx: x, cy: y, r: RADIUS }, group);
    element("text", { x, y: y + RADIUS + 12 }, group).textContent = block.slot;
    const mark = element("text", { x, y: y - RADIUS - 6, class: "mark" }, group);
    const fresh = this.complete ? " fresh" : "";
    const parts = { group, circle, mark, edge, fresh, joined: false, weight: null, kind: null };
    this.drawn.set(block.root, parts);
    return parts;
  }

  remove(root, parts) {
    parts.group.remove();
    parts.edge.remove();
    this.drawn.delete(root);
  }

  rootOf(event) {
    return event.target.closest?.(".block")?.dataset.root;
  }

  setFocused(root) {
    this.drawn.get(this.focused)?.group.setAttribute("tabindex", "-1");
    this.focused = root;
    this.drawn.get(root)?.group.setAttribute("tabindex", "0");
  }

  choose(root) {
    const block = this.chain?.blocks.get(root);
    if (block === undefined) return;
    this.moved = true;
    this.setFocused(root);
    this.show(block);
  }

  // Left: the parent. Right: the heaviest child. Up and down: the nearest block of the next lane. Home, End: the ends.
  onKey(event) {
    const block = this.chain?.blocks.get(this.rootOf(event));
    if (block === undefined) return;
    const all = [...this.chain.blocks.values()].sort((a, b) => a.slot - b.slot);
    const onLane = (lane) =>
      all.filter((other) => other.lane === lane).sort((a, b) => Math.abs(a.slot - block.slot) - Math.abs(b.slot - block.slot))[0];
    const target = {
      ArrowLeft: () => this.chain.blocks.get(block.parent),
      ArrowRight: () => this.chain.childrenOf(block.root)[0],
      ArrowUp: () => onLane(block.lane - 1),
      ArrowDown: () => onLane(block.lane + 1),
      Home: () => all[0],
      End: () => all[all.length - 1],
    }[event.key];
    if (event.key === "Enter" || event.key === " ") this.choose(block.root);
    else if (target === undefined) return;
    else this.moveTo(target());
    event.preventDefault();
  }

  moveTo(block) {
    if (block === undefined) return;
    this.follow.checked = false;
    this.moved = true;
    this.setFocused(block.root);
    const { group } = this.drawn.get(block.root);
    group.focus({ preventScroll: true });
    const [at, width] = [group.querySelector("circle").getBoundingClientRect(), this.box.getBoundingClientRect()];
    if (at.left < width.left + STEP || at.right > width.right - STEP) {
      this.box.scrollLeft += at.left - width.left - width.width / 2;
    }
  }

  showTip(event) {
    const block = this.chain?.blocks.get(this.rootOf(event));
    if (block === undefined) return;
    this.chain.update(); // so that both figures are of the same votes
    const voters = this.chain.votersOf(block.root);
    const shown = toRanges(voters);
    this.tip.textContent =
      `slot ${block.slot}  ${short(block.root)}  proposer ${block.proposer}\n` +
      `weight ${block.weight} of ${this.chain.validators}\n` +
      (voters.length === 0 ? "no newest vote names it as head" :
        `head of ${voters.length}: ${shown.length > 200 ? `${shown.slice(0, 200)}…` : shown}`);
    this.tip.hidden = false;
    const at = this.drawn.get(block.root).circle.getBoundingClientRect();
    this.tip.style.left = `${Math.max(4, Math.min(at.left, innerWidth - this.tip.offsetWidth - 4))}px`;
    const below = at.bottom + 22;
    this.tip.style.top = `${below + this.tip.offsetHeight < innerHeight ? below : at.top - this.tip.offsetHeight - 22}px`;
  }
}
