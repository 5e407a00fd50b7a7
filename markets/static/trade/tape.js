// Recent trades: at most a hundred are kept, as many are shown as there are rows.

import { clock, format } from "./numbers.js";
import { markDirty, onPaint, setClass, setText } from "./painter.js";

const PART = "tape";
const KEPT = 100;

export class Tape {
  /** `trades` newest first, as the native API gives them. */
  constructor(market, trades) {
    this.market = market;
    this.trades = trades.map((t) => ({
      id: t.trade_id, price: t.price, quantity: t.quantity, side: t.taker_side, time: t.time,
    }));
    this.rows = [...document.getElementById("tape").rows].map((node) => ({ node, cells: [...node.cells] }));
    onPaint(PART, () => this.#paint());
    markDirty(PART);
  }

  /** A `trade` event. `m`: the buyer was the maker, so the taker sold. */
  add(event) {
    if (event.t <= (this.trades[0]?.id ?? 0)) return;
    const side = event.m ? "sell" : "buy";
    this.trades.unshift({ id: event.t, price: event.p, quantity: event.q, side, time: event.T });
    this.trades.length = Math.min(this.trades.length, KEPT);
    markDirty(PART);
  }

  /** After a reconnection: what was missed. */
  replace(trades) {
    const newest = this.trades[0]?.id ?? 0;
    for (const t of trades) {
      if (t.trade_id > newest) {
        this.add({ t: t.trade_id, p: t.price, q: t.quantity, m: t.taker_side === "sell", T: t.time });
      }
    }
  }

  #paint() {
    this.rows.forEach(({ node, cells }, index) => {
      const trade = this.trades[index];
      if (!trade) return;
      setClass(node, trade.side);
      setText(cells[0], format(trade.price, this.market.price_places));
      setText(cells[1], format(trade.quantity, this.market.quantity_places));
      setText(cells[2], clock(trade.time));
    });
  }
}
