// Who voted in the last slots: a picture with a column for each slot, a text for each slot, and who missed most.

const SLOTS = 64;
const MOST_ROWS = 128; // of the picture; a row stands for several validators when there are more
const MOST_ABSENT = 10;

export class Participation {
  constructor(canvas, text, list, table) {
    this.canvas = canvas;
    this.text = text;
    this.list = list;
    this.rows = table.tBodies[0];
    this.cursor = null; // slot that the keyboard or the pointer is on
    canvas.addEventListener("mousemove", (event) => this.pointTo(event.offsetX / canvas.clientWidth));
    canvas.addEventListener("mouseleave", () => this.setCursor(null));
    canvas.addEventListener("blur", () => this.setCursor(null));
    canvas.addEventListener("keydown", (event) => this.onKey(event));
    this.reset(0);
  }

  reset(validators) {
    this.validators = validators;
    this.votes = new Map(); // slot -> {voted: Uint8Array by validator, count}
    this.newest = -1;
    this.changed = new Set(); // slots to draw
    this.perRow = Math.max(1, Math.ceil(validators / MOST_ROWS));
    this.canvas.width = SLOTS;
    this.canvas.height = Math.max(1, Math.ceil(validators / this.perRow));
    this.canvas.style.height = `${Math.min(256, Math.max(64, 12 * this.canvas.height))}px`;
    this.list.replaceChildren();
  }

  get first() {
    return Math.max(0, this.newest - SLOTS + 1);
  }

  // The slots of the picture end at the current one.
  advanceTo(slot) {
    if (slot <= this.newest) return;
    this.newest = slot;
    for (const old of this.votes.keys()) {
      if (old < this.first) this.votes.delete(old);
    }
    // All columns move to the left.
    for (let shown = this.first; shown <= slot; ++shown) this.changed.add(shown);
  }

  add(slot, validator) {
    if (slot < this.first || slot > this.newest + 1 || validator >= this.validators) return;
    let entry = this.votes.get(slot);
    if (entry === undefined) {
      entry = { voted: new Uint8Array(this.validators), count: 0 };
      this.votes.set(slot, entry);
    }
    if (entry.voted[validator] === 0) {
      entry.voted[validator] = 1;
      entry.count += 1;
      this.changed.add(slot);
    }
  }

  // After a change of colours.
  redraw() {
    for (let slot = this.first; slot <= this.newest; ++slot) this.changed.add(slot);
    this.draw();
  }

  draw() {
    if (this.changed.size === 0 || this.validators === 0) return;
    const style = getComputedStyle(document.documentElement);
    const [yes, no] = ["--finalized", "--absent"].map((name) => style.getPropertyValue(name));
    const context = this.canvas.getContext("2d");
    for (const slot of this.changed) {
      if (slot >= this.first && slot <= this.newest) this.drawColumn(context, slot, yes, no);
    }
    this.drawList();
    // The current slot is not counted, so its votes change nothing there.
    if (this.changed.size > 1 || !this.changed.has(this.newest)) this.drawAbsent();
    this.changed.clear();
    this.describe();
  }

  drawColumn(context, slot, yes, no) {
    const x = SLOTS - 1 - (this.newest - slot);
    const voted = this.votes.get(slot)?.voted;
    context.clearRect(x, 0, 1, this.canvas.height);
    for (let row = 0; row < this.canvas.height; ++row) {
      const begin = row * this.perRow;
      const end = Math.min(begin + this.perRow, this.validators);
      let count = 0;
      for (let index = begin; index < end; ++index) count += voted?.[index] ?? 0;
      const share = count / (end - begin);
      // Votes of the current slot are still on their way.
      if (share < 1 && slot < this.newest) this.fill(context, x, row, no, 1 - share);
      this.fill(context, x, row, yes, share);
    }
  }

  fill(context, x, row, colour, share) {
    context.globalAlpha = share;
    context.fillStyle = colour;
    context.fillRect(x, row, 1, 1);
  }

  // The picture as text, for screen readers.
  drawList() {
    while (this.list.firstChild !== null && Number(this.list.firstChild.dataset.slot) < this.first) this.list.firstChild.remove();
    const items = new Map([...this.list.children].map((item) => [Number(item.dataset.slot), item]));
    for (let slot = this.first; slot <= this.newest; ++slot) {
      let item = items.get(slot);
      if (item === undefined) {
        item = document.createElement("li");
        item.dataset.slot = slot;
        this.list.append(item);
      }
      const text = `slot ${slot}: ${this.countOf(slot)} of ${this.validators} voted`;
      if (item.textContent !== text) item.textContent = text;
    }
  }

  countOf(slot) {
    return this.votes.get(slot)?.count ?? 0;
  }

  drawAbsent() {
    const missed = new Uint16Array(this.validators);
    const last = new Float64Array(this.validators).fill(-1);
    for (let slot = Math.max(this.first, 1); slot < this.newest; ++slot) {
      const voted = this.votes.get(slot)?.voted;
      for (let index = 0; index < this.validators; ++index) {
        if (voted?.[index]) last[index] = slot;
        else missed[index] += 1;
      }
    }
    const worst = [...missed.keys()].filter((index) => missed[index] > 0);
    worst.sort((a, b) => missed[b] - missed[a] || a - b);
    this.rows.replaceChildren(
      ...worst.slice(0, MOST_ABSENT).map((index) => {
        const row = document.createElement("tr");
        for (const value of [index, missed[index], last[index] < 0 ? "none" : last[index]]) row.insertCell().textContent = value;
        return row;
      }),
    );
  }

  pointTo(share) {
    this.setCursor(this.newest - SLOTS + 1 + Math.min(SLOTS - 1, Math.floor(share * SLOTS)));
  }

  onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    this.setCursor(Math.min(this.newest, Math.max(this.first, (this.cursor ?? this.newest) + step)));
    event.preventDefault();
  }

  setCursor(slot) {
    this.cursor = slot;
    // Read aloud while somebody moves through the slots, not with every new slot.
    this.text.setAttribute("aria-live", slot === null ? "off" : "polite");
    this.describe();
  }

  describe() {
    const slot = this.cursor ?? this.newest - 1;
    if (slot < this.first || slot > this.newest) {
      this.text.textContent = "";
      return;
    }
    const voted = this.votes.get(slot)?.voted;
    const absent = [];
    for (let index = 0; index < this.validators && absent.length < 20; ++index) {
      if (!voted?.[index]) absent.push(index);
    }
    const count = this.validators - this.countOf(slot);
    const names = count === 0 ? "" : `; missing: ${absent.join(", ")}${count > absent.length ? "…" : ""}`;
    this.text.textContent = `slot ${slot}: ${this.countOf(slot)} of ${this.validators} voted${names}`;
  }
}
