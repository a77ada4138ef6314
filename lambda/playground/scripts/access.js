// Asks for the API key or access token, as soon as the API turns a request without one away.

import { setKey } from "./api.js";
import { byId } from "./dom.js";
import { forget, readStored, store } from "./storage.js";

// The key is kept only on request, and then for this tab alone.
const KEY_STORAGE = "playground-key";

let kind = "API key";
let usedKey = "";

export function restoreKey() {
  usedKey = String(readStored("sessionStorage", KEY_STORAGE) ?? "");
  byId("key").value = usedKey;
  byId("keep").checked = Boolean(usedKey);
  setKey(usedKey);
  if (usedKey) offerChange();
}

function offerChange() {
  byId("change-key").textContent = `Change the ${kind}`;
  byId("change-key").hidden = false;
}

function keepKey() {
  if (byId("keep").checked) store("sessionStorage", KEY_STORAGE, byId("key").value.trim());
  else forget("sessionStorage", KEY_STORAGE);
}

function showKeyError(message) {
  byId("access-error").textContent = message;
  byId("access-error").hidden = !message;
}

// `requiredKind` is what the API takes: an API key or an access token.
export function askForKey(message = "", requiredKind = kind) {
  kind = requiredKind;
  offerChange();
  byId("access-title").textContent = `This API requires an ${kind}`;
  document.querySelector("label[for=key]").textContent = kind[0].toUpperCase() + kind.slice(1);
  showKeyError(message);
  if (!byId("access").open) byId("access").showModal();
  byId("key").select();
}

// `load` is called with the key in use, and throws if it does not work.
export function setUpAccess(load) {
  byId("access-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const key = byId("key").value.trim();
    if (!/^[\x21-\x7e]+$/.test(key)) return showKeyError("It contains characters that no key can contain.");
    setKey(key);
    byId("use-key").disabled = true;
    try {
      await load();
      usedKey = key;
      keepKey();
      byId("access").close();
    } catch (error) {
      setKey(usedKey);
      showKeyError(error.message);
    } finally {
      byId("use-key").disabled = false;
    }
  });
  byId("keep").addEventListener("change", () => { if (!byId("keep").checked) keepKey(); });
  byId("access").addEventListener("close", () => byId("message").focus());
  byId("cancel").addEventListener("click", () => byId("access").close());
  byId("change-key").addEventListener("click", () => askForKey());
}
