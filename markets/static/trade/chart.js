// Candles and volume, by TradingView's lightweight-charts.

import { get } from "./api.js";
import { format } from "./numbers.js";
import { markDirty, onPaint, setText } from "./painter.js";
import {
  CandlestickSeries, createChart, CrosshairMode, HistogramSeries, LineStyle,
} from "./vendor/lightweight-charts.js";

const PART = "chart";
const PAGE = 500;

// The library knows UTC only; shown is the visitor's own time.
const offset = (time) => new Date(time).getTimezoneOffset() * 60;
const seconds = (time) => Math.floor(time / 1000) - offset(time);

export class Chart {
  #pending = new Map();
  #oldest = 0;
  #loading = false;
  #complete = false;
  #volumes = new Map();
  #lines = [];

  constructor(market, interval, candles) {
    this.market = market;
    this.interval = interval;
    this.legend = document.getElementById("legend");
    this.chart = createChart(document.getElementById("chart"), {
      autoSize: true,
      layout: { attributionLogo: true, fontSize: 11, fontFamily: "inherit" },
      crosshair: { mode: CrosshairMode.Normal },
      timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 6, barSpacing: 7 },
      rightPriceScale: { scaleMargins: { top: 0.08, bottom: 0.24 } },
    });
    const minMove = Number(market.tick);
    this.candles = this.chart.addSeries(CandlestickSeries, {
      priceFormat: { type: "price", precision: market.price_places, minMove },
      borderVisible: false,
    });
    this.volume = this.chart.addSeries(HistogramSeries, {
      priceScaleId: "volume", priceFormat: { type: "volume" },
      lastValueVisible: false, priceLineVisible: false,
    });
    this.chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    this.#colour();
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => {
      this.#colour();
      this.load(this.interval);
    });
    this.#set(candles);
    onPaint(PART, () => this.#paint());
    this.chart.subscribeCrosshairMove((point) => this.#describe(point));
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range && range.from < 20) this.#loadOlder();
    });
  }

  /** A `kline` event of the interval shown. */
  update(event) {
    const k = event.k;
    if (k.i !== this.interval) return;
    this.#pending.set(k.t, {
      open_time: k.t, open: k.o, high: k.h, low: k.l, close: k.c, volume: k.v,
    });
    markDirty(PART);
  }

  /** Another interval, or the same one anew after a reconnection. */
  async load(interval) {
    this.interval = interval;
    this.#pending.clear();
    this.chart.applyOptions({ timeScale: { secondsVisible: interval === "1s" } });
    const candles = await get("/kline", { symbol: this.market.symbol, interval, limit: PAGE });
    if (interval === this.interval) this.#set(candles);
  }

  /** Open orders as lines. */
  showOrders(orders) {
    for (const line of this.#lines) this.candles.removePriceLine(line);
    this.#lines = orders.filter((o) => o.price !== null).map((order) =>
      this.candles.createPriceLine({
        price: Number(order.price),
        color: order.side === "buy" ? this.colours.up : this.colours.down,
        lineWidth: 1, lineStyle: LineStyle.Dashed, axisLabelVisible: true, title: order.side,
      }),
    );
  }

  #set(candles) {
    this.#oldest = candles[0]?.open_time ?? 0;
    this.#complete = candles.length < PAGE;
    this.data = candles;
    this.#volumes.clear();
    this.candles.setData(candles.map(bar));
    this.volume.setData(candles.map((candle) => this.#column(candle)));
    this.#describe();
  }

  async #loadOlder() {
    if (this.#loading || this.#complete) return;
    this.#loading = true;
    const { interval } = this;
    try {
      const older = await get("/kline", {
        symbol: this.market.symbol, interval, end_time: this.#oldest - 1, limit: PAGE,
      });
      if (interval === this.interval) {
        const complete = older.length < PAGE;
        this.#set([...older, ...this.data]);
        this.#complete = complete;
      }
    } catch {
      // Another scroll asks again.
    } finally {
      this.#loading = false;
    }
  }

  #paint() {
    const newest = this.data.at(-1)?.open_time ?? 0;
    for (const [time, candle] of [...this.#pending].sort((a, b) => a[0] - b[0])) {
      if (time < newest && time !== this.data.at(-1)?.open_time) continue;
      if (time === this.data.at(-1)?.open_time) this.data[this.data.length - 1] = candle;
      else this.data.push(candle);
      this.candles.update(bar(candle));
      this.volume.update(this.#column(candle));
    }
    this.#pending.clear();
    this.#describe();
  }

  #column(candle) {
    const rises = Number(candle.close) >= Number(candle.open);
    const time = seconds(candle.open_time);
    this.#volumes.set(time, candle.volume);
    const { upFaint, downFaint } = this.colours;
    return { time, value: Number(candle.volume), color: rises ? upFaint : downFaint };
  }

  #describe(point) {
    const last = this.data.at(-1);
    const shown = point?.seriesData?.get(this.candles) ?? (last && bar(last));
    if (!shown) return;
    const f = (value) => format(value, this.market.price_places);
    const volume = format(this.#volumes.get(shown.time) ?? 0, 3);
    const change = ((shown.close / shown.open - 1) * 100).toFixed(2);
    setText(
      this.legend,
      `O ${f(shown.open)}  H ${f(shown.high)}  L ${f(shown.low)}  C ${f(shown.close)}  ${change}%  Vol ${volume}`,
    );
    this.legend.classList.toggle("down", shown.close < shown.open);
    this.legend.classList.toggle("up", shown.close >= shown.open);
  }

  #colour() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    const up = read("--up"), down = read("--down"), line = read("--line");
    this.colours = { up, down, upFaint: `${up}66`, downFaint: `${down}66` };
    this.chart.applyOptions({
      layout: { background: { color: read("--raised") }, textColor: read("--muted") },
      grid: { vertLines: { color: `${line}66` }, horzLines: { color: `${line}66` } },
      rightPriceScale: { borderColor: line },
      timeScale: { borderColor: line },
    });
    this.candles.applyOptions({
      upColor: up, downColor: down, wickUpColor: up, wickDownColor: down,
    });
  }
}

function bar(candle) {
  return {
    time: seconds(candle.open_time),
    open: Number(candle.open), high: Number(candle.high),
    low: Number(candle.low), close: Number(candle.close),
  };
}
