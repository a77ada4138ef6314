// Renders a model's Markdown. markdown-it only parses it: its tokens become elements here, from a fixed list, with a
// fixed list of attributes. No string of the model is parsed as HTML, and nothing is loaded because a model names it.

import { copyButton, element } from "./dom.js";

const parser = globalThis.markdownit({ html: false, breaks: true });

// The page has h1 and h2 of its own.
const TAGS = {
  h1: "h3", h2: "h4", h3: "h5", h4: "h6", h5: "h6", h6: "h6", p: "p", blockquote: "blockquote", ul: "ul", ol: "ol", li: "li",
  table: "table", thead: "thead", tbody: "tbody", tr: "tr", th: "th", td: "td", strong: "strong", em: "em", s: "s",
};
// markdown-it limits the nesting of blocks, but not of emphasis: two rows of asterisks would crash the tab.
const MAX_NESTING = 100;
const PROTOCOLS = ["http:", "https:", "mailto:"];

const isSafe = (url) => URL.canParse(url) && PROTOCOLS.includes(new URL(url).protocol);

function externalLink(url) {
  return element("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" });
}

function codeBlock(token) {
  const code = element("code", {}, token.content.replace(/\n$/, ""));
  const pre = element("pre", { tabIndex: 0 }, code);
  const language = token.info.trim().split(/\s+/, 1)[0];
  const copy = copyButton("Copy code", () => code.textContent, () => code);
  return element("div", { className: "code" }, element("p", { className: "bar" }, element("span", {}, language), copy), pre);
}

// An image is a link to it: loading it would tell its host that the response was read, and what the model put in the URL.
function image(token) {
  const url = token.attrGet("src"), name = `Image: ${token.content || url}`;
  if (!isSafe(url)) return document.createTextNode(`${name} (${url})`);
  const link = externalLink(url);
  link.append(name);
  return link;
}

const LEAVES = {
  code_inline: (token) => element("code", {}, token.content),
  code_block: codeBlock,
  fence: codeBlock,
  hr: () => element("hr"),
  image,
};

function opened(token) {
  const made = element(TAGS[token.tag] ?? "span");
  if (token.tag === "ol") made.start = Number(token.attrGet("start") ?? 1);
  const align = /^text-align:(left|center|right)$/.exec(token.attrGet("style") ?? "")?.[1];
  if (align) made.className = align;
  return made;
}

function openedLink(token) {
  const url = token.attrGet("href");
  return isSafe(url) ? externalLink(url) : element("span", { title: url });
}

function scrollable(table) {
  const made = element("div", { className: "scroll", tabIndex: 0, role: "region" }, table);
  made.setAttribute("aria-label", "Table");
  return made;
}

function build(tokens, root) {
  const parents = [root];
  for (const token of tokens) {
    const parent = parents.at(-1);
    if (token.type === "inline") build(token.children, parent);
    else if (token.hidden) continue;
    else if (token.nesting === 1 && parents.length > MAX_NESTING) parents.push(parent);
    else if (token.nesting === 1) {
      const made = token.type === "link_open" ? openedLink(token) : opened(token);
      parent.append(token.type === "table_open" ? scrollable(made) : made);
      parents.push(made);
    } else if (token.nesting === -1) parents.pop();
    else if (token.type === "softbreak" || token.type === "hardbreak") parent.append(element("br"), "\n");
    else parent.append(LEAVES[token.type]?.(token) ?? token.content);
  }
  root.normalize();
  return root;
}

function nodesOf(tokens) {
  return [...build(tokens, document.createDocumentFragment()).childNodes];
}

// Turns the children of a node from `start` on into `next`, and keeps those that stay: a selection in them, and the
// position of their scroll bars.
function patch(parent, start, next) {
  next.forEach((node, index) => {
    const old = parent.childNodes[start + index];
    if (!old) parent.append(node);
    else if (!old.isEqualNode(node)) patchNode(old, node);
  });
  while (parent.childNodes.length > start + next.length) parent.lastChild.remove();
}

function patchNode(old, node) {
  if (old.nodeType === Node.TEXT_NODE && node.nodeType === Node.TEXT_NODE) {
    if (node.data.startsWith(old.data)) old.appendData(node.data.slice(old.data.length));
    else old.data = node.data;
  } else if (old.cloneNode(false).isEqualNode(node.cloneNode(false))) patch(old, 0, [...node.childNodes]);
  else old.replaceWith(node);
}

// The lines before the last block, which no further text can change. The last line counts only once it has ended.
function countFinishedLines(text, tokens) {
  const starts = tokens.filter(({ level, nesting }) => level === 0 && nesting !== -1).map(({ map }) => map[0]);
  const endedLines = text.split("\n").length - 1;
  return starts.findLast((line) => line < endedLines) ?? 0;
}

function lengthOfLines(text, count) {
  let end = 0;
  for (let line = 0; line < count; line += 1) end = text.indexOf("\n", end) + 1;
  return end;
}

// Markdown that arrives in pieces. Only the last block is parsed and compared again at each rendering.
export class StreamedMarkdown {
  #root;
  #text = "";
  #carry = "";
  #end = 0; // of the finished blocks in #text
  #count = 0; // of their nodes
  #context = {}; // their link definitions

  constructor(root) {
    this.#root = root;
  }

  append(piece) {
    const text = this.#carry + piece;
    // It may be the first half of a line end.
    this.#carry = text.endsWith("\r") ? "\r" : "";
    this.#text += text.slice(0, text.length - this.#carry.length).replace(/\r\n?/g, "\n");
  }

  render() {
    const rest = this.#text.slice(this.#end);
    const length = lengthOfLines(rest, countFinishedLines(rest, this.#parse(rest)));
    const finished = nodesOf(parser.parse(rest.slice(0, length), this.#context));
    patch(this.#root, this.#count, [...finished, ...nodesOf(this.#parse(rest.slice(length)))]);
    this.#count += finished.length;
    this.#end += length;
  }

  // A definition of a link may stand at the very end, so the complete text is rendered once more.
  finish() {
    this.append(this.#carry ? "\n" : "");
    patch(this.#root, 0, nodesOf(parser.parse(this.#text, {})));
  }

  #parse(text) {
    return parser.parse(text, { references: { ...this.#context.references } });
  }
}
