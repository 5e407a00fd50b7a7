// One requestAnimationFrame loop for the whole page. A message changes a model and marks its part
// dirty; however many messages come, each part is painted at most once a frame.

const painters = new Map();
const dirty = new Set();
let requested = false;

export function onPaint(part, paint) {
  painters.set(part, paint);
}

export function markDirty(part) {
  dirty.add(part);
  if (!requested) {
    requested = true;
    requestAnimationFrame(paintAll);
  }
}

function paintAll() {
  requested = false;
  const parts = [...dirty];
  dirty.clear();
  for (const part of parts) painters.get(part)?.();
}

/** Writes only what changed: text that is set again is laid out again. */
export function setText(node, text) {
  if (node.firstChild?.nodeType === Node.TEXT_NODE) {
    if (node.firstChild.data !== text) node.firstChild.data = text;
  } else {
    node.prepend(text);
  }
}

export function setClass(node, name) {
  if (node.className !== name) node.className = name;
}
