// The list of markets: opened by its button or "/", searched, with favourites first.

const KEY = "favourite-markets";

export class Pairs {
  constructor() {
    this.button = document.getElementById("pair-button");
    this.panel = document.getElementById("pairs");
    this.search = document.getElementById("pair-search");
    this.items = [...this.panel.querySelectorAll("li")];
    this.favourites = new Set(load());
    this.button.addEventListener("click", () => (this.panel.hidden ? this.open() : this.close()));
    this.search.addEventListener("input", () => this.#filter());
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#shown()[0]?.querySelector("a").click();
    });
    document.addEventListener("pointerdown", (event) => {
      if (!this.panel.hidden && !event.target.closest(".pair")) this.close();
    });
    for (const item of this.items) {
      item.querySelector(".star").addEventListener("click", () => this.#toggle(item.dataset.symbol));
    }
    this.#arrange();
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  open() {
    this.panel.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.search.value = "";
    this.#filter();
    this.search.focus();
  }

  close() {
    this.panel.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    this.button.focus();
  }

  #shown() {
    return [...this.panel.querySelectorAll("li:not([hidden])")];
  }

  #filter() {
    const wanted = this.search.value.trim().toUpperCase().replace("/", "");
    for (const item of this.items) item.hidden = !item.dataset.symbol.includes(wanted);
    document.getElementById("pairs-none").hidden = this.#shown().length > 0;
  }

  #toggle(symbol) {
    if (!this.favourites.delete(symbol)) this.favourites.add(symbol);
    try {
      localStorage.setItem(KEY, JSON.stringify([...this.favourites]));
    } catch {
      // Without storage they last as long as the page.
    }
    this.#arrange();
  }

  #arrange() {
    for (const item of this.items) {
      const star = item.querySelector(".star");
      const is = this.favourites.has(item.dataset.symbol);
      star.setAttribute("aria-pressed", String(is));
      star.textContent = is ? "★" : "☆";
    }
    const rank = (item) => (this.favourites.has(item.dataset.symbol) ? 0 : 1);
    const list = this.panel.querySelector("ul");
    list.append(...[...this.items].sort((a, b) => rank(a) - rank(b)));
  }
}

function load() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]");
  } catch {
    return [];
  }
}
