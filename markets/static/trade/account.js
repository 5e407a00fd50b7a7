// The signed-in user's open orders and balances: what the page came with, then events of the
// stream `user`, and answers to what this page does itself.

import { get } from "./api.js";

const OPEN = new Set(["new", "partially_filled"]);
const CLOSED_KEPT = 1_000;

export class Account {
  orders = new Map();
  balances = new Map();
  #closed = new Set();
  #held = null;
  #asking = Promise.resolve();
  #listeners = [];

  constructor(signedIn, orders, balances) {
    this.signedIn = signedIn;
    for (const order of orders) this.orders.set(order.order_id, order);
    for (const balance of balances) this.balances.set(balance.asset, balance);
  }

  onChange(listener) {
    this.#listeners.push(listener);
  }

  available(asset) {
    return Number(this.balances.get(asset)?.available ?? 0);
  }

  /** Prices at which the user's own orders stand; those that wait for a trigger do not. */
  ownPrices(symbol) {
    const prices = new Set();
    for (const order of this.orders.values()) {
      if (order.symbol !== symbol || order.price === null || order.working_since === null) continue;
      prices.add(Number(order.price));
    }
    return prices;
  }

  /** An order as the API answered. What is closed stays closed, whatever comes late. */
  order(order) {
    this.#put(order);
    this.#changed();
  }

  /** An event of the stream `user`. */
  event(event) {
    if (this.#held) this.#held.push(event);
    else this.#take(event);
  }

  /** Ask for everything, after what is being asked: that may be older than what the caller did. */
  refresh() {
    this.#asking = this.#asking.catch(() => {}).then(() => this.#ask());
    return this.#asking;
  }

  /** Events that come meanwhile are applied after the answer. */
  async #ask() {
    if (!this.signedIn) return;
    this.#held = [];
    try {
      const [orders, balances] = await Promise.all([get("/order/open"), get("/balances")]);
      this.orders = new Map();
      for (const order of orders) this.#put(order);
      this.balances = new Map(balances.map((balance) => [balance.asset, balance]));
    } finally {
      const held = this.#held;
      this.#held = null;
      for (const event of held) this.#take(event);
      this.#changed();
    }
  }

  #take(event) {
    switch (event.e) {
      case "executionReport":
        this.#put(orderOf(event));
        break;
      case "outboundAccountPosition":
        for (const { a: asset, f: available, l: locked } of event.B) {
          this.balances.set(asset, { asset, available, locked });
        }
        break;
      case "balanceUpdate":
        // The position that goes with it says how much there is.
        break;
      default:
        return;
    }
    this.#changed();
  }

  #put(order) {
    const id = order.order_id;
    if (OPEN.has(order.status)) {
      if (!this.#closed.has(id)) this.orders.set(id, order);
      return;
    }
    this.orders.delete(id);
    this.#closed.add(id);
    if (this.#closed.size > CLOSED_KEPT) this.#closed.delete(this.#closed.values().next().value);
  }

  #changed() {
    for (const listener of this.#listeners) listener();
  }
}

/** An executionReport as an order of the native API. */
export function orderOf(event) {
  return {
    order_id: event.i,
    // A cancel carries the id of the request in `c` and the order's own in `C`.
    client_order_id: event.C || event.c,
    symbol: event.s,
    side: event.S.toLowerCase(),
    type: event.o.toLowerCase().replace("_maker", ""),
    time_in_force: event.f.toLowerCase(),
    post_only: event.o === "LIMIT_MAKER",
    price: Number(event.p) ? event.p : null,
    stop_price: Number(event.P) ? event.P : null,
    trailing_delta: event.d ?? null,
    visible_quantity: Number(event.F) ? event.F : null,
    list_id: event.g === -1 ? null : event.g,
    working_since: event.W ?? null,
    quantity: event.q,
    executed_quantity: event.z,
    status: event.X.toLowerCase(),
    created_at: event.O,
  };
}
