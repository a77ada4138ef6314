// Calls the front door that served the page.

// Below the stage of an API, or at the root of a domain name.
export const baseUrl = location.origin + location.pathname.replace(/\/?$/, "/");

let key = "";

export function setKey(value) {
  key = value;
}

export const hasKey = () => Boolean(key);

// An error to show to the user. `keyKind`: what the API does not accept or misses, "API key" or "access token"; else null.
export class ApiError extends Error {
  constructor(message, keyKind = null) {
    super(message);
    this.keyKind = keyKind;
  }
}

const STATUS_MESSAGES = {
  400: "The request is not valid.",
  404: "There is no such model.",
  413: "The conversation is too long for one request. Start a new chat.",
  502: "The model's server failed.",
  503: "The model is not ready.",
  504: "The model took too long.",
};

function retryAdvice(response) {
  const value = response.headers.get("retry-after");
  const seconds = /^\d+$/.test(value ?? "") ? Number(value) : Math.ceil((Date.parse(value) - Date.now()) / 1000);
  return seconds > 0 ? `Try again in ${seconds} s.` : "Try again in a moment.";
}

// The message in an error of OpenAI's form, TGI's, or API Gateway's own.
export function errorMessage(body) {
  const error = body?.error;
  return String(error?.message ?? (typeof error === "string" ? error : body?.message) ?? "");
}

function parsed(text) {
  try { return JSON.parse(text); } catch { return null; }
}

async function errorOf(response) {
  const { status } = response, body = parsed(await response.text());
  const code = body?.error?.code;
  // A firewall's 403 is about the message: another key does not help.
  const isAccess = [401, 403].includes(status) && code !== "blocked";
  const kind = isAccess ? (body?.error_type === "invalid_token" ? "access token" : "API key") : null;
  const messages = {
    ...STATUS_MESSAGES,
    401: `The ${kind} was not accepted.`,
    403: kind ? `This ${kind} does not allow the request.` : "",
    429: code === "insufficient_quota" ? "The quota is used up." : `Too many requests. ${retryAdvice(response)}`,
  };
  return new ApiError(`${messages[status] ?? `The request failed with status ${status}.`} ${errorMessage(body)}`.trim(), kind);
}

export async function call(path, options) {
  const headers = { "Content-Type": "application/json", ...(key && { Authorization: `Bearer ${key}` }) };
  let response;
  try { response = await fetch(baseUrl + path, { headers, cache: "no-store", ...options }); } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The API could not be reached. Check the network connection.");
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

// The data of each server-sent event, wherever the network cuts the stream.
export async function* readEvents(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", data = [];
  for (;;) {
    const { done, value } = await reader.read();
    rest += value ?? "";
    // A carriage return at the very end may be the first half of a line end.
    const lines = rest.split(done ? /\r\n|\n|\r/ : /\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
      else if (line === "") {
        if (data.length) yield data.join("\n");
        data = [];
      }
    }
    if (done) return;
  }
}
