// The order book's rows: a fixed pool, of which only what changed is written.

import { format } from "./numbers.js";
import { markDirty, onPaint, setText } from "./painter.js";

const PART = "book";

export class BookView {
  /** `pick(price, quantity)` is called with the price of a row and all that stands up to it. */
  constructor(book, market, account, pick) {
    this.book = book;
    this.market = market;
    this.account = account;
    // The best comes first on both sides; the asks are laid out upwards.
    this.asks = rowsOf("asks", { ArrowUp: 1, ArrowDown: -1 });
    this.bids = rowsOf("bids", { ArrowUp: -1, ArrowDown: 1 });
    this.mid = document.getElementById("mid");
    this.spread = document.getElementById("spread");
    for (const row of [...this.asks, ...this.bids]) {
      row.node.addEventListener("click", () => {
        if (row.price) pick(row.price, row.total);
      });
    }
    onPaint(PART, () => this.#paint());
    this.changed();
  }

  changed() {
    markDirty(PART);
  }

  /** Best prices, or undefined. */
  get top() {
    return { bid: this.bids[0].price, ask: this.asks[0].price };
  }

  #paint() {
    const asks = this.book.best("asks", this.asks.length);
    const bids = this.book.best("bids", this.bids.length);
    const largest = Math.max(sum(asks), sum(bids)) || 1;
    const own = this.account.ownPrices(this.market.symbol);
    this.#paintSide(this.asks, asks, largest, own);
    this.#paintSide(this.bids, bids, largest, own);
    this.#paintMiddle(bids[0]?.[0], asks[0]?.[0]);
  }

  #paintSide(rows, levels, largest, own) {
    const { price_places: prices, quantity_places: quantities } = this.market;
    let total = 0;
    rows.forEach((row, index) => {
      const level = levels[index];
      total += level?.[1] ?? 0;
      row.price = level?.[0];
      row.total = total;
      setText(row.button, level ? format(level[0], prices) : "");
      setText(row.quantity, level ? format(level[1], quantities) : "");
      setText(row.totalCell, level ? format(total, quantities) : "");
      row.show(level ? total / largest : 0, level !== undefined && own.has(level[0]));
      // By keyboard the best rows are reached, with arrows the others.
      row.button.tabIndex = index === 0 && level ? 0 : -1;
    });
  }

  #paintMiddle(bid, ask) {
    const both = bid !== undefined && ask !== undefined;
    const places = this.market.price_places;
    setText(this.mid, both ? format((bid + ask) / 2, places) : "–");
    const share = both ? ((ask - bid) / ask) * 100 : 0;
    setText(this.spread, both ? `${format(ask - bid, places)} (${share.toFixed(3)}%)` : "–");
  }
}

/** `steps` says how many rows further an arrow key leads. */
function rowsOf(id, steps) {
  const rows = [...document.getElementById(id).rows].map((node) => {
    const [priceCell, quantity, totalCell] = node.cells;
    const bar = node.querySelector(".bar");
    let share = -1, own = false;
    return {
      node, quantity, totalCell,
      button: priceCell.firstElementChild,
      price: undefined,
      total: 0,
      show(newShare, isOwn) {
        const rounded = Math.round(newShare * 1000) / 1000;
        if (rounded !== share) {
          share = rounded;
          bar.style.transform = `scaleX(${share})`;
        }
        if (isOwn !== own) {
          own = isOwn;
          node.classList.toggle("own", own);
          if (own) node.title = "Your order stands here";
          else node.removeAttribute("title");
        }
      },
    };
  });
  const body = document.getElementById(id);
  body.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...body.querySelectorAll("button")];
    all[all.indexOf(document.activeElement) + step]?.focus();
  });
  return rows;
}

function sum(levels) {
  return levels.reduce((total, level) => total + level[1], 0);
}
