// The order book: a snapshot, then diffs that must follow each other without a gap.
//
// Rules (Binance's "How to manage a local order book correctly"): keep the diffs that come before
// the snapshot; drop those with u <= lastUpdateId; the first one kept must have
// U <= lastUpdateId + 1; each further one U = the previous u + 1. Otherwise begin again.

export class Book {
  bids = new Map();
  asks = new Map();
  #last = 0;
  #synced = false;
  #waiting = [];

  get synced() {
    return this.#synced;
  }

  /** A snapshot of the native API. Returns whether the diffs that waited follow it. */
  load(snapshot) {
    fill(this.bids, snapshot.bids);
    fill(this.asks, snapshot.asks);
    this.#last = snapshot.last_update_id;
    this.#synced = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting.every((diff) => this.apply(diff));
  }

  /** A depthUpdate. False: something is missing, load a snapshot. */
  apply(diff) {
    if (!this.#synced) {
      this.#waiting.push(diff);
      return false;
    }
    if (diff.u <= this.#last) return true;
    if (diff.U > this.#last + 1) {
      this.desync();
      this.#waiting.push(diff);
      return false;
    }
    update(this.bids, diff.b);
    update(this.asks, diff.a);
    this.#last = diff.u;
    return true;
  }

  /** What stands here is no longer certain; the levels stay until there is a snapshot. */
  desync() {
    this.#synced = false;
    this.#waiting = [];
  }

  /** The best `count` levels, `[price, quantity]`. */
  best(side, count) {
    const levels = [...(side === "bids" ? this.bids : this.asks)];
    levels.sort(side === "bids" ? (a, b) => b[0] - a[0] : (a, b) => a[0] - b[0]);
    return levels.slice(0, count);
  }
}

// Numbers as keys: "5.00000000" and "5.00" are the same price.
function fill(levels, rows) {
  levels.clear();
  update(levels, rows);
}

function update(levels, rows) {
  for (const [price, quantity] of rows) {
    const amount = Number(quantity);
    if (amount === 0) levels.delete(Number(price));
    else levels.set(Number(price), amount);
  }
}
