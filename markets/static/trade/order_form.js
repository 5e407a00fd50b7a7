// The order form. Nothing is decided here: the exchange refuses what cannot be, and says why.

import { get, request } from "./api.js";
import { floorTo, format, parse, trim } from "./numbers.js";
import { markDirty, onPaint, setText } from "./painter.js";

const PART = "form";

export class OrderForm {
  #spend = false; // the total was typed, not the amount

  /** `top()` gives the best prices, `tell` takes what has to be said. */
  constructor(market, account, top, tell) {
    this.market = market;
    this.account = account;
    this.top = top;
    this.tell = tell;
    this.form = document.getElementById("order");
    this.fields = this.form.elements;
    this.submit = document.getElementById("submit");
    this.panel = document.getElementById("form-panel");
    this.form.addEventListener("input", (event) => this.#typed(event.target.name));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#place();
    });
    for (const name of ["price", "quantity", "total"]) {
      this.fields[name].addEventListener("keydown", (event) => this.#step(event));
    }
    onPaint(PART, () => this.#paint());
    account.onChange(() => markDirty(PART));
    markDirty(PART);
  }

  get side() {
    return this.fields.side.value;
  }

  get isMarket() {
    return this.fields.type.value === "market";
  }

  /** Ready to type: the side chosen, the first empty field focused. */
  open(side) {
    this.form.querySelector(`[name=side][value=${side}]`).checked = true;
    this.panel.classList.add("open");
    this.#typed("side");
    const { price, quantity } = this.fields;
    (this.isMarket || price.value ? quantity : price).focus();
  }

  close() {
    this.panel.classList.remove("open");
    if (this.form.contains(document.activeElement)) document.activeElement.blur();
  }

  /** A row of the book was clicked. */
  pick(price) {
    this.form.querySelector("[name=type][value=limit]").checked = true;
    this.fields.price.value = price.toFixed(this.market.price_places);
    this.#typed("price");
  }

  #price() {
    if (!this.isMarket) return parse(this.fields.price.value);
    const { bid, ask } = this.top();
    return (this.side === "buy" ? ask : bid) ?? NaN;
  }

  #typed(name) {
    const { quantity, total, percent } = this.fields;
    const price = this.#price();
    if (name === "total") {
      this.#spend = true;
      quantity.value = floorTo(parse(total.value) / price, this.market.quantity_places);
    } else if (name === "percent") {
      this.#spend = false;
      quantity.value = floorTo((this.#most(price) * percent.value) / 100, this.market.quantity_places);
      total.value = this.#worth(price);
    } else if (["quantity", "price", "side", "type"].includes(name)) {
      if (name === "quantity") this.#spend = false;
      total.value = this.#worth(price);
    }
    if (name !== "percent") {
      const part = (parse(quantity.value) / this.#most(price)) * 100;
      percent.value = Number.isFinite(part) ? Math.min(100, Math.round(part)) : 0;
    }
    for (const field of [this.fields.price, quantity, total]) field.removeAttribute("aria-invalid");
    markDirty(PART);
  }

  /** The largest amount that the balance allows. */
  #most(price) {
    const { base, quote } = this.market;
    return this.side === "buy" ? this.account.available(quote) / price : this.account.available(base);
  }

  #worth(price) {
    const worth = price * parse(this.fields.quantity.value);
    return Number.isFinite(worth) ? trim(worth.toFixed(8)) : "";
  }

  #step(event) {
    const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    const unit = { price: this.market.tick, quantity: this.market.step }[event.target.name];
    if (!way || !unit) return;
    event.preventDefault();
    const places = event.target.name === "price" ? this.market.price_places : this.market.quantity_places;
    const value = (parse(event.target.value) || 0) + way * Number(unit) * (event.shiftKey ? 10 : 1);
    event.target.value = Math.max(0, value).toFixed(places);
    this.#typed(event.target.name);
  }

  #paint() {
    const { side, isMarket, market } = this;
    const { base, quote } = market;
    this.form.dataset.side = side;
    this.form.dataset.type = isMarket ? "market" : "limit";
    this.fields.price.disabled = isMarket;
    this.fields.price.placeholder = isMarket ? "At the best price" : "0";
    this.fields.post_only.disabled = this.fields.time_in_force.disabled = isMarket;
    const asset = side === "buy" ? quote : base;
    setText(
      document.getElementById("available"),
      this.account.signedIn ? `${format(this.account.available(asset), 8)} ${asset}` : "–",
    );
    setText(document.getElementById("percent-text"), `${this.fields.percent.value}%`);
    const received = side === "buy" ? this.fields.quantity.value : this.fields.total.value;
    const fee = parse(received) * (market.taker_fee_ppm / 1e6);
    const text = Number.isFinite(fee) ? `${trim(fee.toFixed(8))} ${side === "buy" ? base : quote}` : "–";
    setText(document.getElementById("fee"), text);
    if (this.submit) {
      this.submit.className = `submit ${side}`;
      setText(this.submit, `${side === "buy" ? "Buy" : "Sell"} ${base}`);
    }
  }

  #order() {
    const fields = this.fields;
    const plain = (name) => fields[name].value.replaceAll(",", "").trim() || undefined;
    const order = {
      symbol: this.market.symbol,
      side: this.side,
      type: fields.type.value,
      client_order_id: `web-${crypto.getRandomValues(new Uint32Array(3)).join("-")}`.slice(0, 36),
    };
    if (this.isMarket) {
      if (this.#spend && this.side === "buy") order.quote_quantity = plain("total");
      else order.quantity = plain("quantity");
      return order;
    }
    order.price = plain("price");
    order.quantity = plain("quantity");
    order.time_in_force = fields.time_in_force.value;
    if (fields.post_only.checked) order.post_only = true;
    return order;
  }

  async #place() {
    if (!this.submit || this.submit.disabled) return;
    const order = this.#order();
    this.submit.disabled = true;
    this.tell.clear();
    try {
      const placed = await this.#send(order);
      this.account.order(placed);
      this.tell.status(describe(placed, this.market));
      this.fields.quantity.value = this.fields.total.value = "";
      this.#typed("side");
    } catch (problem) {
      this.#refused(problem);
    } finally {
      this.submit.disabled = false;
    }
    await this.account.refresh().catch(() => {});
  }

  /** Where the answer is lost, the order's own id finds out what became of it. */
  async #send(order) {
    try {
      return await request("POST", "/order", { body: order });
    } catch (problem) {
      if (!problem.unknown) throw problem;
      this.tell.status("No answer yet: asking what became of the order …");
      const { symbol, client_order_id } = order;
      return get("/order", { symbol, client_order_id });
    }
  }

  #refused(problem) {
    const field = this.fields[{ quote_quantity: "total" }[problem.field] ?? problem.field];
    if (field instanceof HTMLElement) {
      field.setAttribute("aria-invalid", "true");
      field.focus();
    }
    const what = problem.title ?? "Not placed";
    const why = problem.detail && problem.detail !== problem.title ? `: ${problem.detail}` : "";
    this.tell.alert(`${what}${why}.`);
  }
}

function describe(order, market) {
  const done = order.side === "buy" ? "Bought" : "Sold";
  const filled = Number(order.executed_quantity);
  const amount = (text) => format(text, market.quantity_places);
  if (filled) {
    const price = format(order.executed_quote_quantity / filled, market.price_places);
    const of = order.status === "filled" || !order.quantity ? "" : ` of ${amount(order.quantity)}`;
    const rest = { expired: " The rest expired.", partially_filled: " The rest stands." }[order.status] ?? "";
    return `${done} ${amount(filled)}${of} ${market.base} at ${price}.${rest}`;
  }
  if (order.status === "expired") return "Expired: nothing could be filled.";
  const price = format(order.price, market.price_places);
  return `Order placed: ${order.side} ${amount(order.quantity)} ${market.base} at ${price}.`;
}
