// Values that outlast the page: in `sessionStorage` until the tab is closed, in `localStorage` until they are deleted.
// A browser may forbid either, or its user may have changed what is there; then nothing is kept.

export function readStored(area, name) {
  try { return JSON.parse(globalThis[area].getItem(name)); } catch { return null; }
}

export function store(area, name, value) {
  try { globalThis[area].setItem(name, JSON.stringify(value)); } catch { return; }
}

export function forget(area, name) {
  try { globalThis[area].removeItem(name); } catch { return; }
}
