// The tables below: open orders with their cancel buttons, and balances.

import { request } from "./api.js";
import { clock, format, trim } from "./numbers.js";
import { markDirty, onPaint, setText } from "./painter.js";

const PART = "account";

export class AccountView {
  /** `tell` has `status(text)` and `alert(text)`. */
  constructor(account, markets, symbol, tell) {
    this.account = account;
    this.markets = new Map(markets.map((market) => [market.symbol, market]));
    this.symbol = symbol;
    this.tell = tell;
    this.rows = new Map();
    this.balanceRows = new Map();
    this.body = document.getElementById("orders");
    this.balanceBody = document.getElementById("balance-rows");
    this.body.replaceChildren();
    this.balanceBody.replaceChildren();
    this.onlyHere = document.getElementById("only-here");
    this.cancelAll = document.getElementById("cancel-all");
    this.onlyHere.addEventListener("change", () => markDirty(PART));
    this.cancelAll.addEventListener("click", () => this.#cancelAll());
    onPaint(PART, () => this.#paint());
    account.onChange(() => markDirty(PART));
    markDirty(PART);
  }

  #paint() {
    this.#paintOrders();
    this.#paintBalances();
  }

  #paintOrders() {
    const all = [...this.account.orders.values()];
    const shown = all.filter((o) => !this.onlyHere.checked || o.symbol === this.symbol);
    const ids = new Set(shown.map((order) => order.order_id));
    for (const [id, row] of this.rows) {
      if (!ids.has(id)) {
        row.node.remove();
        this.rows.delete(id);
      }
    }
    for (const order of shown) this.#paintOrder(order);
    setText(document.getElementById("orders-count"), String(all.length));
    document.getElementById("orders-none").hidden = shown.length > 0;
    this.cancelAll.disabled = shown.length === 0;
  }

  #paintOrder(order) {
    let row = this.rows.get(order.order_id);
    if (!row) {
      row = this.#orderRow(order);
      this.rows.set(order.order_id, row);
      this.body.prepend(row.node); // newest first
    }
    const market = this.markets.get(order.symbol);
    const quantity = (text) => format(text, market.quantity_places);
    setText(row.kind, kindOf(order, market));
    setText(row.price, order.price === null ? "Market" : format(order.price, market.price_places));
    setText(row.quantity, quantity(order.quantity));
    const share = (Number(order.executed_quantity) / Number(order.quantity)) * 100;
    setText(row.filled, `${quantity(order.executed_quantity)} (${Math.floor(share)}%)`);
  }

  #orderRow(order) {
    const node = document.createElement("tr");
    const cell = (text, name = "") => {
      const td = document.createElement("td");
      td.textContent = text;
      td.className = name;
      node.append(td);
      return td;
    };
    cell(clock(order.created_at), "time");
    cell(order.symbol);
    cell(order.side, order.side);
    const kind = cell("");
    const price = cell("", "number");
    const quantity = cell("", "number");
    const filled = cell("", "number");
    const cancel = document.createElement("button");
    cancel.className = "quiet cancel";
    cancel.textContent = "Cancel";
    cancel.setAttribute("aria-label", `Cancel the order to ${order.side} ${order.symbol}`);
    cancel.addEventListener("click", () => this.#cancel(order, cancel));
    cell("").append(cancel);
    node.dataset.id = order.order_id;
    return { node, kind, price, quantity, filled };
  }

  async #cancel(order, button) {
    button.disabled = true;
    const { symbol, order_id } = order;
    try {
      this.account.order(await request("DELETE", "/order", { query: { symbol, order_id } }));
      this.tell.status(`Cancelled: ${order.side} ${trim(order.quantity)} ${symbol}.`);
    } catch (problem) {
      button.disabled = false;
      this.tell.alert(`Not cancelled: ${problem.detail ?? problem}`);
    }
    await this.account.refresh().catch(() => {});
  }

  async #cancelAll() {
    this.cancelAll.disabled = true;
    const query = this.onlyHere.checked ? { symbol: this.symbol } : {};
    try {
      const results = await request("DELETE", "/orders", { query });
      this.tell.status(`Cancelled ${results.filter((r) => r.order_id).length} orders.`);
    } catch (problem) {
      this.tell.alert(`Not cancelled: ${problem.detail ?? problem}`);
    }
    await this.account.refresh().catch(() => {});
    markDirty(PART);
  }

  #paintBalances() {
    for (const balance of this.account.balances.values()) {
      let cells = this.balanceRows.get(balance.asset);
      if (!cells) {
        const row = this.balanceBody.insertRow();
        const head = document.createElement("th");
        head.scope = "row";
        head.textContent = balance.asset;
        row.append(head);
        cells = [1, 2, 3].map(() => {
          const cell = row.insertCell();
          cell.className = "number";
          return cell;
        });
        this.balanceRows.set(balance.asset, cells);
      }
      const { available, locked } = balance;
      [available, locked, Number(available) + Number(locked)].forEach((amount, index) => {
        setText(cells[index], format(amount, 8));
      });
    }
    document.getElementById("balances-none").hidden = this.account.balances.size > 0;
  }
}

/** The type in words, and what an order waits for. */
function kindOf(order, market) {
  const parts = [order.type.replaceAll("_", " ")];
  if (order.post_only) parts.push("post-only");
  if (order.visible_quantity !== null) parts.push("iceberg");
  if (order.list_id !== null) parts.push("one cancels the other");
  if (order.working_since === null) {
    if (order.stop_price !== null) parts.push(`at ${format(order.stop_price, market.price_places)}`);
    if (order.trailing_delta !== null) parts.push(`trailing ${order.trailing_delta / 100}%`);
  }
  return parts.join(", ");
}
