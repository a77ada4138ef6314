// Builds elements. Text only ever becomes text nodes.

export const byId = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// A button that copies what `text()` returns when it is pressed; `fallback` is selected where the clipboard is not allowed.
export function copyButton(label, text, fallback) {
  const button = element("button", { type: "button", className: "small copy" }, "Copy");
  button.setAttribute("aria-label", label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
    } catch {
      // Denied, or the page came without TLS.
      getSelection().selectAllChildren(fallback());
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  return button;
}

// Calls `render` at most once a frame, and less often if it is slow: at least 80 % of the time is left to the page.
export function throttle(render) {
  let frame = 0, earliest = 0;
  function run() {
    const begin = performance.now();
    render();
    document.body.getBoundingClientRect(); // The layout belongs to the cost.
    const end = performance.now();
    earliest = end + 4 * (end - begin);
  }
  function onFrame() {
    frame = 0;
    if (performance.now() < earliest) request();
    else run();
  }
  function request() {
    frame ||= requestAnimationFrame(onFrame);
  }
  return { request, cancel: () => cancelAnimationFrame(frame) };
}
