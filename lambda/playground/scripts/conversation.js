// The conversation: sends a message, shows the response as it arrives.

import { ApiError, call, errorMessage, readEvents } from "./api.js";
import { byId, copyButton, element, throttle } from "./dom.js";
import { StreamedMarkdown } from "./markdown.js";
import { Statistics } from "./statistics.js";

export const turns = [];
// The body of the latest request.
export let lastRequest = null;
let running = null;
let isAtEnd = true;

function addTurn(role, name, content) {
  const turn = element("article", { className: `turn ${role}` }, element("h2", {}, name), content);
  byId("empty").hidden = true;
  byId("turns").append(turn);
  return turn;
}

function addResponse(model) {
  const content = element("div", { className: "text markdown" }), meta = element("p", { className: "meta" });
  const foot = element("div", { className: "foot" }, meta);
  const turn = addTurn("assistant", model, content);
  const markdown = new StreamedMarkdown(content), statistics = new Statistics();
  const { request, cancel } = throttle(() => {
    markdown.render();
    meta.textContent = String(statistics);
  });
  const response = { text: "", statistics, append, finish: end };
  function append(piece) {
    response.text += piece;
    statistics.countChunk();
    markdown.append(piece);
    request();
  }
  function end(error) {
    cancel();
    markdown.finish();
    meta.textContent = String(statistics);
    turn.classList.remove("busy");
    if (response.text) foot.append(copyButton("Copy response", () => response.text, () => content));
    if (error) turn.append(element("p", { className: "error", role: "alert" }, error));
  }
  turn.append(foot);
  turn.classList.add("busy");
  return response;
}

async function readResponse(stream, response) {
  const { statistics } = response;
  for await (const data of readEvents(stream)) {
    if (data === "[DONE]") return;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new ApiError(`The response failed before it was complete. ${errorMessage(chunk)}`.trim());
    const choice = chunk.choices?.[0];
    statistics.usage = chunk.usage ?? statistics.usage;
    statistics.finishReason = choice?.finish_reason ?? statistics.finishReason;
    if (choice?.delta?.content) response.append(choice.delta.content);
  }
  if (!statistics.finishReason) throw new ApiError("The connection ended before the response was complete.");
}

function setRunning(controller) {
  running = controller;
  byId("send").hidden = Boolean(controller);
  byId("stop").hidden = !controller;
  byId("clear").disabled = Boolean(controller) || !turns.length;
  byId("log").setAttribute("aria-busy", String(Boolean(controller)));
}

function describeError(error) {
  return error instanceof ApiError ? error.message : `The response could not be read: ${error.message}`;
}

// Returns the error that ended the response, or null. A message without a response goes back into the input field.
async function exchange(draft, response, controller) {
  let failure = null;
  try {
    const body = JSON.stringify(lastRequest);
    const { body: stream } = await call("v1/chat/completions", { method: "POST", body, signal: controller.signal });
    await readResponse(stream, response);
  } catch (error) {
    if (controller.signal.aborted) response.statistics.isStopped = true;
    else failure = error;
  }
  response.finish(failure && describeError(failure));
  if (response.text) turns.push({ role: "user", content: draft }, { role: "assistant", content: response.text });
  else if (!byId("message").value) byId("message").value = draft;
  return failure;
}

export const isRunning = () => Boolean(running);

export async function send(draft, request) {
  const controller = new AbortController();
  lastRequest = request;
  addTurn("user", "You", element("p", { className: "text" }, draft));
  const response = addResponse(request.model);
  byId("message").value = "";
  isAtEnd = true;
  setRunning(controller);
  try { return await exchange(draft, response, controller); } finally { setRunning(null); }
}

export function stop() {
  running?.abort();
}

export function clear() {
  turns.length = 0;
  lastRequest = null;
  byId("turns").replaceChildren(byId("empty"));
  byId("empty").hidden = false;
  setRunning(null);
}

// Follows the end of the conversation, but leaves whoever has scrolled up to read.
export function followEnd() {
  const log = byId("log");
  log.addEventListener("scroll", () => { isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40; });
  const observer = new ResizeObserver(() => { if (isAtEnd) log.scrollTop = log.scrollHeight; });
  observer.observe(log);
  observer.observe(byId("turns"));
}
