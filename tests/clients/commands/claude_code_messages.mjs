// Claude Code without a terminal.
import { command, lines } from "./checks_command.mjs";
import { expect, expectEqual, key, model, prompt, run, url } from "./checks.mjs";

const claude = command("claude", { "notes.txt": "It is sunny." });
const environment = (folder) => ({
  CLAUDE_CONFIG_DIR: folder,
  ANTHROPIC_BASE_URL: url,
  ANTHROPIC_AUTH_TOKEN: key,
  ANTHROPIC_MODEL: model,
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
});
const json = ["--output-format", "json"];

/** What it reports at the end of a turn. */
async function turn(args, changed = {}) {
  const done = await claude(["-p", ...args], (folder) => ({ ...environment(folder), ...changed }));
  const report = lines(done).at(-1);
  expect(report, done.stderr);
  return report;
}

await run(["@anthropic-ai/claude-code"], {
  async chat() {
    const done = await claude(["-p", prompt], environment);
    expectEqual(done.exitCode, 0);
    expect(done.stdout.trim(), done.stderr);
  },
  async stream() {
    const done = await claude(["-p", prompt, "--output-format", "stream-json", "--include-partial-messages", "--verbose"], environment);
    const events = lines(done).filter((line) => line.type === "stream_event").map((line) => line.event);
    const text = events.map((event) => event.delta?.text ?? "").join("");
    expectEqual(text, lines(done).at(-1).result);
  },
  async agent() {
    const report = await turn(["Read notes.txt", ...json, "--tools", "Read"]);
    expectEqual([report.is_error, report.num_turns], [false, 2]);
    expect(report.result && report.usage.output_tokens > 0, JSON.stringify(report));
  },
  async api_key() {
    const report = await turn([prompt, ...json, "--tools", ""], { ANTHROPIC_AUTH_TOKEN: "", ANTHROPIC_API_KEY: key });
    expectEqual([report.is_error, report.num_turns], [false, 1]);
  },
  async alias() {
    // With a name of its own, which the front door takes for the model's.
    const report = await turn([prompt, ...json, "--tools", ""], { ANTHROPIC_MODEL: "" });
    expectEqual([report.is_error, Object.keys(report.modelUsage)[0].startsWith("claude-")], [false, true]);
  },
  async errors() {
    const report = await turn([prompt, ...json], { ANTHROPIC_MODEL: "unknown" });
    expectEqual([report.is_error, report.api_error_status], [true, 404]);
  },
});
