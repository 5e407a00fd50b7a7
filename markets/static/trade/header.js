// The strip on top: last price, 24 hours, the other markets, and whether all of it is live.

import { clock, direction, format, percent, trim } from "./numbers.js";
import { markDirty, onPaint, setClass, setText } from "./painter.js";

const TICKER = "ticker";
const PAIRS = "pairs";
const WORDS = { connecting: "Connecting", live: "Live", stale: "Reconnecting" };

export class Header {
  constructor(market) {
    this.market = market;
    this.pairs = new Map();
    this.event = null;
    this.lastPrice = null;
    const node = (id) => document.getElementById(id);
    this.nodes = {
      last: node("last"), change: node("stat-change"), high: node("stat-high"), low: node("stat-low"),
      volume: node("stat-volume"), quote: node("stat-quote-volume"), connection: node("connection-text"),
    };
    this.links = new Map(
      [...document.querySelectorAll("#pairs li")].map((item) => [item.dataset.symbol, item]),
    );
    onPaint(TICKER, () => this.#paintTicker());
    onPaint(PAIRS, () => this.#paintPairs());
  }

  /** A `24hrTicker` event of this market. */
  ticker(event) {
    this.event = event;
    this.lastPrice = event.c;
    markDirty(TICKER);
  }

  /** A price that is newer than the last ticker's. */
  last(price) {
    this.lastPrice = price;
    markDirty(TICKER);
  }

  /** A `24hrMiniTicker` event of any market. */
  miniTicker(event) {
    this.pairs.set(event.s, event);
    markDirty(PAIRS);
  }

  connection(state) {
    document.getElementById("desk").dataset.feed = state;
    const since = state === "stale" ? ` · data of ${clock(Date.now())}` : "";
    setText(this.nodes.connection, WORDS[state] + since);
  }

  #paintTicker() {
    const { price_places: places, symbol } = this.market;
    const last = format(this.lastPrice, places);
    setText(this.nodes.last, last);
    document.title = `${last} ${symbol} · Exchange`;
    const event = this.event;
    if (!event) return;
    const name = direction(Number(event.p));
    setClass(this.nodes.last, `last number ${name}`);
    setClass(this.nodes.change, `number ${name}`);
    setText(this.nodes.change, `${format(event.p, places)} ${percent(event.P)}`);
    setText(this.nodes.high, format(event.h, places));
    setText(this.nodes.low, format(event.l, places));
    setText(this.nodes.volume, format(event.v, 2));
    setText(this.nodes.quote, format(event.q, 2));
  }

  #paintPairs() {
    for (const [symbol, event] of this.pairs) {
      const item = this.links.get(symbol);
      if (!item) continue;
      const change = Number(event.o) ? (event.c / event.o - 1) * 100 : 0;
      const share = item.querySelector("[data-of=percent]");
      setText(item.querySelector("[data-of=last]"), trim(event.c));
      setText(share, percent(change));
      setClass(share, `number ${direction(change)}`);
    }
    this.pairs.clear();
  }
}
