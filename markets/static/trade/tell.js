// Results are said as a status, refusals as an alert, in a place that is kept free for them.

const CLEAR_MS = 12_000;

export class Tell {
  #timer = 0;

  constructor() {
    this.nodes = [document.getElementById("order-status"), document.getElementById("order-alert")];
  }

  status(text) {
    this.#say(text, "");
  }

  alert(text) {
    this.#say("", text);
  }

  clear() {
    this.#say("", "");
  }

  #say(...texts) {
    clearTimeout(this.#timer);
    this.nodes.forEach((node, index) => (node.textContent = texts[index]));
    if (texts[0]) this.#timer = setTimeout(() => this.clear(), CLEAR_MS);
  }
}
