// The curl command that sends the same request.

import { baseUrl, hasKey } from "./api.js";
import { lastRequest, turns } from "./conversation.js";
import { byId, copyButton } from "./dom.js";
import { requestBody } from "./settings.js";

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export function showCurl() {
  const draft = byId("message").value.trim();
  const body = draft || !lastRequest ? requestBody(turns, draft || "Hello") : lastRequest;
  byId("curl").textContent = [
    `curl -N ${quoted(`${baseUrl}v1/chat/completions`)}`,
    ...(hasKey() ? ["-H \"Authorization: Bearer $KEY\""] : []),
    "-H 'Content-Type: application/json'",
    `-d ${quoted(JSON.stringify(body))}`,
  ].join(" \\\n  ");
}

export function setUpCurl() {
  const curl = byId("curl");
  curl.after(copyButton("Copy curl command", () => curl.textContent, () => curl));
  byId("message").addEventListener("input", showCurl);
  showCurl();
}
