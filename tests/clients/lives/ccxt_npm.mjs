// ccxt for JavaScript: `node ccxt_npm.mjs MODULES URL KEY SECRET`.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const [modules, url, apiKey, secret] = process.argv.slice(2);
const ccxt = createRequire(`${modules}/`)("ccxt");
const SYMBOL = "BTC/USDT";

const exchange = new ccxt.binance({ apiKey, secret, enableRateLimit: false });
const ours = new URL(url);
for (const [name, theirs] of Object.entries(exchange.urls.api)) {
    const address = new URL(theirs);
    exchange.urls.api[name] = theirs.replace(address.origin, ours.origin);
}

const market = (await exchange.loadMarkets())[SYMBOL];
assert.equal(market.spot && market.active, true);
assert.equal(market.precision.price, 0.01);
const book = await exchange.fetchOrderBook(SYMBOL, 10);
assert.ok(book.asks[0][0] > book.bids[0][0]);

const placed = await exchange.createOrder(SYMBOL, "limit", "buy", 0.01, 20000);
assert.equal(placed.status, "open");
assert.equal((await exchange.fetchOrder(placed.id, SYMBOL)).price, 20000);
const opened = await exchange.fetchOpenOrders(SYMBOL);
assert.ok(opened.some((order) => order.id === placed.id));
assert.equal((await exchange.cancelOrder(placed.id, SYMBOL)).status, "canceled");
await assert.rejects(exchange.cancelOrder(placed.id, SYMBOL), ccxt.OrderNotFound);

const bought = await exchange.createOrder(SYMBOL, "market", "buy", 0.01);
assert.deepEqual([bought.status, bought.filled], ["closed", 0.01]);
const spent = await exchange.createOrder(SYMBOL, "market", "buy", 0.01, 50000);
assert.equal(spent.status, "closed");
const sold = await exchange.createOrder(SYMBOL, "market", "sell", 0.01);
assert.equal(sold.status, "closed");
await assert.rejects(
    exchange.createOrder(SYMBOL, "limit", "buy", 500, 50000), ccxt.InsufficientFunds
);

const mine = await exchange.fetchMyTrades(SYMBOL);
assert.ok([bought, spent, sold].every((order) => mine.some((trade) => trade.order === order.id)));
assert.ok((await exchange.fetchOrders(SYMBOL)).some((order) => order.id === placed.id));
assert.ok((await exchange.fetchBalance()).BTC.free > 0);
assert.ok((await exchange.fetchTicker(SYMBOL)).last > 0);
assert.ok((await exchange.fetchTickers())[SYMBOL]);
const trades = await exchange.fetchTrades(SYMBOL);
assert.ok(trades.some((trade) => trade.id === mine.at(-1).id));
assert.ok((await exchange.fetchOHLCV(SYMBOL, "1m")).at(-1)[5] > 0);
