// The slot and its four intervals, from the genesis time and the browser's clock.

const NAMES = ["propose", "vote", "safe target", "accept votes"];

export class SlotClock {
  // `onSlot(slot)` is called when a slot begins.
  constructor(slotText, nameText, list, onSlot) {
    this.slotText = slotText;
    this.nameText = nameText;
    this.items = [...list.children];
    this.onSlot = onSlot;
    this.timer = null;
    this.slot = 0;
  }

  start(genesisSeconds, slotMs, intervals) {
    this.genesisMs = genesisSeconds * 1000;
    this.slotMs = slotMs;
    this.intervalMs = slotMs / intervals;
    clearInterval(this.timer);
    this.timer = setInterval(() => this.tick(), Math.max(50, this.intervalMs / 10));
    this.tick();
  }

  tick() {
    const elapsed = Date.now() - this.genesisMs;
    if (elapsed < 0) {
      this.nameText.textContent = `genesis in ${Math.ceil(-elapsed / 1000)} s`;
      return;
    }
    const slot = Math.floor(elapsed / this.slotMs);
    const within = (elapsed % this.slotMs) / this.intervalMs;
    const interval = Math.floor(within);
    this.slotText.textContent = slot;
    this.nameText.textContent = `interval ${interval}: ${NAMES[interval]}`;
    this.items.forEach((item, index) => {
      item.classList.toggle("now", index === interval);
      item.firstElementChild.style.setProperty("--done", `${Math.round(100 * Math.min(1, Math.max(0, within - index)))}%`);
    });
    if (slot !== this.slot) {
      this.slot = slot;
      this.onSlot(slot);
    }
  }
}
