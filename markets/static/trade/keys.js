// Keys for the whole page; never while somebody types.

export function listen(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      actions.Escape(event);
      return;
    }
    const typing = event.target.closest("input:not([type=radio], [type=checkbox], [type=range]), select, textarea, dialog[open]");
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (typing || !action) return;
    event.preventDefault();
    action(event);
  });
}
