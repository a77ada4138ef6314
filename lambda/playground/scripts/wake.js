// Wakes a model of which no copy runs.

import { call } from "./api.js";
import { byId } from "./dom.js";

let offered = null, timer = 0;

// `wake` has the path that wakes the chosen model; null if it never sleeps, or if nobody may wake it.
export function offerWake(wake) {
  clearTimeout(timer);
  offered = wake ?? null;
  byId("wake").hidden = !offered;
  byId("wake-model").disabled = false;
  byId("wake-state").textContent = "";
}

// While the model is starting, it asks again when that should be over.
async function wakeModel() {
  const asked = offered;
  byId("wake-model").disabled = true;
  let message;
  try {
    const response = await call(asked.path.slice(1), { method: "POST" });
    const { state, seconds } = await response.json();
    if (asked !== offered) return;
    if (state === "waking") {
      byId("wake-state").textContent = seconds ? `Starting, about ${seconds} s` : "Starting, some minutes";
      timer = setTimeout(wakeModel, (Number(response.headers.get("retry-after")) || 60) * 1000);
      return;
    }
    message = "It is awake";
  } catch (error) {
    message = error.message;
  }
  if (asked !== offered) return;
  byId("wake-state").textContent = message;
  byId("wake-model").disabled = false;
}

export function setUpWake() {
  byId("wake-model").addEventListener("click", wakeModel);
}
