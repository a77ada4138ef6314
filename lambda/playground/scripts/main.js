// Connects the parts of the page.

import { askForKey, restoreKey, setUpAccess } from "./access.js";
import { hasKey } from "./api.js";
import { clear, followEnd, isRunning, send, stop, turns } from "./conversation.js";
import { setUpCurl, showCurl } from "./curl.js";
import { byId } from "./dom.js";
import { chosenModel, loadModels, openSettings, requestBody, setUpSettings } from "./settings.js";
import { setUpWake } from "./wake.js";

function showNotice(message) {
  byId("notice").textContent = message;
  byId("notice").hidden = !message;
}

function showError(error) {
  if (error.keyKind) askForKey(hasKey() ? error.message : "", error.keyKind);
  else showNotice(error.message);
}

async function load() {
  await loadModels();
  showNotice("");
  showCurl();
  byId("message").focus();
}

async function loadOrExplain() {
  try { await load(); } catch (error) { showError(error); }
}

async function sendMessage() {
  const draft = byId("message").value.trim();
  if (isRunning() || !draft) return;
  if (!chosenModel()) await loadOrExplain();
  if (!chosenModel()) return;
  openSettings(false);
  const failure = await send(draft, requestBody(turns, draft));
  showCurl();
  if (failure?.keyKind) showError(failure);
  else byId("message").focus();
}

function setUpKeyboard() {
  byId("message").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.shiftKey || event.altKey) return;
    event.preventDefault();
    sendMessage();
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") stop(); });
}

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  sendMessage();
});
byId("stop").addEventListener("click", stop);
byId("clear").addEventListener("click", () => {
  clear();
  showCurl();
  byId("message").focus();
});
followEnd();
setUpKeyboard();
setUpSettings(showCurl, showError);
setUpWake();
setUpAccess(load);
restoreKey();
setUpCurl();
loadOrExplain();
