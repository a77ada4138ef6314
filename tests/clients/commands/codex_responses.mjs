// Codex without a terminal.
import { command, lines } from "./checks_command.mjs";
import { expect, expectEqual, model, openaiUrl, prompt, run } from "./checks.mjs";

const config = (name) => `
model = "${name}"
model_provider = "front-door"
# Tools that only OpenAI's servers have.
web_search = "disabled"

[features]
multi_agent = false

[model_providers.front-door]
name = "front door"
base_url = "${openaiUrl}"
env_key = "FRONT_DOOR_KEY"
wire_api = "responses"
request_max_retries = 1
`;

/** The events of a turn, and what it exits with. */
async function turn(text, name = model) {
  const codex = command("codex", { "config.toml": config(name) });
  const environment = (folder) => ({ CODEX_HOME: folder, FRONT_DOOR_KEY: process.env.FRONT_DOOR_KEY });
  const done = await codex(["exec", "--skip-git-repo-check", "--json", text], environment);
  return { ...done, events: lines(done) };
}

const messages = (events) => events.map((event) => event.item).filter((item) => item?.type === "agent_message");

await run(["@openai/codex"], {
  async chat() {
    const { events, exitCode, stderr } = await turn(prompt);
    expect(exitCode === 0, stderr);
    expectEqual(messages(events).length, 1);
    expect(messages(events)[0].text);
    const { type, usage } = events.at(-1);
    expectEqual(type, "turn.completed");
    expect(usage.output_tokens > 0, "no usage");
  },
  async agent() {
    const { events, exitCode } = await turn("What is my goal?");
    expectEqual(exitCode, 0);
    // The model of the emulated cloud repeats words of what the function has returned.
    expect(messages(events).at(-1).text.includes("remainingTokens"), JSON.stringify(messages(events)));
  },
  async errors() {
    const { events, exitCode } = await turn(prompt, "unknown");
    expectEqual([exitCode, events.at(-1).type], [1, "turn.failed"]);
    expect(events.at(-1).error.message.includes("`llama`"), JSON.stringify(events.at(-1)));
  },
});
