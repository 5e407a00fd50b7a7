// Tabs, moved through with the arrow keys.

/** `select(tab)` is called with the button that was chosen. */
export function tabs(list, select) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const choose = (tab) => {
    for (const other of all) {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
    }
    select(tab);
  };
  for (const tab of all) tab.addEventListener("click", () => choose(tab));
  list.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const next = all.at((all.indexOf(document.activeElement) + step) % all.length);
    next.focus();
    choose(next);
  });
}
