// The model, the sampling parameters and the system prompt. Model and parameters are remembered in this browser.

import { baseUrl, call } from "./api.js";
import { byId } from "./dom.js";
import { readStored, store } from "./storage.js";
import { offerWake } from "./wake.js";

const SETTINGS_STORAGE = `playground ${baseUrl}`;
const SLIDERS = { temperature: (value) => value.toFixed(2), tokens: String };
const MAX_TOKENS_WITHOUT_INFO = 2048, MAX_TOKENS = 8192;

const remembered = { ...readStored("localStorage", SETTINGS_STORAGE) };

function remember(name, value) {
  remembered[name] = value;
  store("localStorage", SETTINGS_STORAGE, remembered);
}

export const chosenModel = () => byId("model").value;

// The body of a request that continues the conversation.
export function requestBody(turns, draft) {
  const system = byId("system").value.trim();
  return {
    model: chosenModel(),
    messages: [...(system ? [{ role: "system", content: system }] : []), ...turns, { role: "user", content: draft }],
    stream: true,
    stream_options: { include_usage: true },
    temperature: Number(byId("temperature").value),
    max_tokens: Number(byId("tokens").value),
  };
}

function showValues() {
  for (const [id, format] of Object.entries(SLIDERS)) byId(`${id}-value`).value = format(Number(byId(id).value));
}

// A remembered value that this model does not allow is shown as the nearest that it does, and stays remembered.
function applyRemembered() {
  for (const id of Object.keys(SLIDERS)) if (id in remembered) byId(id).value = remembered[id];
  showValues();
}

async function describeModel() {
  const model = chosenModel();
  byId("about").textContent = "";
  offerWake(null);
  const info = await (await call(`models/${encodeURIComponent(model)}/info`)).json();
  if (model !== chosenModel()) return;
  const context = info.max_total_tokens;
  byId("tokens").max = context ? Math.max(16, Math.min(context - 1, MAX_TOKENS)) : MAX_TOKENS_WITHOUT_INFO;
  byId("about").textContent = [info.model_id, info.version && `TGI ${info.version}`, context && `context of ${context} tokens`]
    .filter(Boolean).join(" · ");
  offerWake(info.wake);
  applyRemembered();
}

export async function loadModels() {
  const { data } = await (await call("v1/models")).json();
  const select = byId("model"), names = data.map(({ id }) => id);
  const chosen = [select.value, remembered.model].find((name) => names.includes(name));
  select.replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
  select.disabled = false;
  await describeModel();
}

export function openSettings(open) {
  byId("side").classList.toggle("open", open);
  byId("toggle").setAttribute("aria-expanded", String(open));
  byId("toggle").textContent = open ? "Close" : "Settings";
}

// `onChange` is called after each change of a setting, `onError` with what a change of the model meets.
export function setUpSettings(onChange, onError) {
  for (const id of Object.keys(SLIDERS)) {
    byId(id).addEventListener("input", () => {
      remember(id, Number(byId(id).value));
      showValues();
      onChange();
    });
  }
  byId("system").addEventListener("input", onChange);
  byId("model").addEventListener("change", async () => {
    remember("model", chosenModel());
    onChange();
    try { await describeModel(); } catch (error) { onError(error); }
    onChange();
  });
  byId("toggle").addEventListener("click", () => openSettings(!byId("side").classList.contains("open")));
  applyRemembered();
}
