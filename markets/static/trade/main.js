// Wires the page: first data, models, views, and the feed that changes the models.

import { Account } from "./account.js";
import { AccountView } from "./account_view.js";
import { get } from "./api.js";
import { Book } from "./book.js";
import { BookView } from "./book_view.js";
import { Chart } from "./chart.js";
import { Feed } from "./feed.js";
import { Header } from "./header.js";
import { listen } from "./keys.js";
import { OrderForm } from "./order_form.js";
import { Pairs } from "./pairs.js";
import { tabs } from "./tabs.js";
import { Tape } from "./tape.js";
import { Tell } from "./tell.js";

const SNAPSHOT_RETRY_MS = 1_000;

const first = JSON.parse(document.getElementById("first").textContent);
const { market } = first;
const desk = document.getElementById("desk");

const tell = new Tell();
const header = new Header(market);
const account = new Account(first.signedIn, first.orders, first.balances);
const book = new Book();
const form = new OrderForm(market, account, () => bookView.top, tell);
const bookView = new BookView(book, market, account, (price) => form.pick(price));
const tape = new Tape(market, first.trades);
const chart = new Chart(market, first.interval, first.candles);
const pairs = new Pairs();
new AccountView(account, first.markets, market.symbol, tell);

book.load(first.depth);
const showOwn = () => {
  chart.showOrders([...account.orders.values()].filter((o) => o.symbol === market.symbol));
  bookView.changed();
};
account.onChange(showOwn);
showOwn();

// The feed.

const name = market.symbol.toLowerCase();
let connected = false;
let connections = 0;
let fetching = false;

const feed = new Feed(
  (state) => {
    connected = state === "live";
    if (connected) {
      catchUp();
      return;
    }
    header.connection(state);
    if (state === "stale") book.desync();
  },
  () => account.refresh().catch(() => {}),
);

feed.subscribe(`${name}@depth@100ms`, (event) => {
  if (!book.apply(event)) loadBook();
  bookView.changed();
});
feed.subscribe(`${name}@trade`, (event) => {
  tape.add(event);
  header.last(event.p);
});
feed.subscribe(`${name}@ticker`, (event) => header.ticker(event));
for (const { symbol } of first.markets) {
  feed.subscribe(`${symbol.toLowerCase()}@miniTicker`, (event) => header.miniTicker(event));
}
if (first.signedIn) feed.subscribe("user", (event) => account.event(event));
const candles = (event) => chart.update(event);
feed.subscribe(`${name}@kline_${first.interval}`, candles);
feed.start();

/** After each connection: what was missed while there was none. Only then the page is live. */
async function catchUp() {
  const connection = ++connections;
  const { symbol } = market;
  await Promise.allSettled([
    loadBook(),
    account.refresh(),
    chart.load(chart.interval),
    get("/trades", { symbol, limit: 100 }).then((trades) => tape.replace(trades)),
  ]);
  if (connected && connection === connections) header.connection("live");
}

/** A snapshot, until one is found that the diffs follow. */
async function loadBook() {
  if (fetching) return;
  fetching = true;
  book.desync();
  desk.dataset.book = "stale";
  try {
    while (connected && !book.synced) {
      try {
        const snapshot = await get("/depth", { symbol: market.symbol, limit: 1000 });
        if (connected && book.load(snapshot)) break;
      } catch {
        // The next one.
      }
      await new Promise((resolve) => setTimeout(resolve, SNAPSHOT_RETRY_MS));
    }
  } finally {
    fetching = false;
  }
  if (book.synced) delete desk.dataset.book;
  bookView.changed();
}

// What a person does.

document.getElementById("intervals").addEventListener("click", async ({ target }) => {
  const interval = target.dataset.interval;
  if (!interval || interval === chart.interval) return;
  for (const button of target.parentNode.children) {
    button.setAttribute("aria-pressed", String(button === target));
  }
  feed.unsubscribe(`${name}@kline_${chart.interval}`);
  feed.subscribe(`${name}@kline_${interval}`, candles);
  await chart.load(interval).catch((problem) => tell.alert(`No candles: ${problem.detail ?? problem}`));
});

tabs(document.getElementById("views"), (tab) => {
  desk.dataset.tab = tab.dataset.tab;
});
tabs(document.getElementById("account-tabs"), (tab) => {
  for (const id of ["open-orders", "balances"]) {
    document.getElementById(id).hidden = tab.getAttribute("aria-controls") !== id;
  }
});

for (const button of document.querySelectorAll("[data-open]")) {
  button.addEventListener("click", () => form.open(button.dataset.open));
}
document.querySelector("[data-close]").addEventListener("click", () => form.close());

const help = document.getElementById("help");
document.getElementById("help-button").addEventListener("click", () => help.showModal());
listen({
  b: () => form.open("buy"),
  s: () => form.open("sell"),
  "/": () => pairs.open(),
  "?": () => help.showModal(),
  Escape: () => (pairs.isOpen ? pairs.close() : form.close()),
});
