// Amounts come as decimal strings. Numbers are good enough to sort, add up and draw; what is sent
// is cut to the market's own places first.

/** "61234.5" with two places: "61,234.50". */
export function format(value, places) {
  if (value === null || value === undefined || value === "") return "–";
  const [whole, fraction] = Number(value).toFixed(places).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction ? `${grouped}.${fraction}` : grouped;
}

/** Without zeros at the end: "1.50000000" is "1.5". */
export function trim(text) {
  return text && text.includes(".") ? text.replace(/\.?0+$/, "") : (text ?? "–");
}

/** Down to a multiple of the unit, as text to send; "" for nothing. */
export function floorTo(value, places) {
  if (!Number.isFinite(value) || value <= 0) return "";
  const scale = 10 ** places;
  return (Math.floor(value * scale + 1e-6) / scale).toFixed(places);
}

/** What a person typed; NaN where it is no number. */
export function parse(text) {
  const plain = text.replaceAll(",", "").trim();
  return /^\d*\.?\d+$|^\d+\.$/.test(plain) ? Number(plain) : NaN;
}

export function percent(value) {
  const number = Number(value);
  return `${number < 0 ? "" : "+"}${number.toFixed(2)}%`;
}

export function direction(change) {
  return change > 0 ? "up" : change < 0 ? "down" : "";
}

export function clock(time) {
  const date = new Date(time);
  const two = (part) => String(part).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
