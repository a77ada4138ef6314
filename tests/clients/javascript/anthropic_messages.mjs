// Anthropic's own client.
import Anthropic from "@anthropic-ai/sdk";
import { betaZodTool } from "@anthropic-ai/sdk/helpers/beta/zod";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";
import { expect, expectEqual, key, messages, model, prompt, run, thrown, url, weather } from "./checks.mjs";

const client = new Anthropic({ baseURL: url, apiKey: key });
const City = z.object({ name: z.string() });
const options = { model, messages, max_tokens: 400 };
const tools = [{ name: "weather", description: "The weather in a city.", input_schema: weather }];

await run(["@anthropic-ai/sdk"], {
  async chat() {
    const message = await client.messages.create({ ...options, system: "Be brief." });
    expect(message.content[0].text);
    expectEqual(message.stop_reason, "end_turn");
    expect(message.usage.input_tokens > 0 && message.usage.output_tokens > 0, "no usage");
  },
  async stream() {
    const asked = { ...options, max_tokens: 10, temperature: 0 };
    const whole = await client.messages.create(asked);
    const stream = client.messages.stream(asked);
    let text = "";
    stream.on("text", (piece) => (text += piece));
    const final = await stream.finalMessage();
    expectEqual([text, final.content, final.stop_reason], [whole.content[0].text, whole.content, "max_tokens"]);
    expectEqual(final.usage.output_tokens, whole.usage.output_tokens);
  },
  async tools() {
    const asked = { ...options, tools, tool_choice: { type: "any" } };
    for (const message of [client.messages.create(asked), client.messages.stream(asked).finalMessage()]) {
      const { content, stop_reason } = await message;
      const calls = content.map((block) => [block.type, block.name, Object.keys(block.input)]);
      expectEqual([calls, stop_reason], [[["tool_use", "weather", ["city"]]], "tool_use"]);
    }
  },
  async agent() {
    const cities = [];
    const tool = betaZodTool({
      name: "weather",
      description: "The weather in a city.",
      inputSchema: z.object({ city: z.string() }),
      run: ({ city }) => (cities.push(city), `Sunny in ${city}.`),
    });
    expect((await client.beta.messages.toolRunner({ ...options, tools: [tool] })).content[0].text);
    expect(cities.length > 0, "no call");
  },
  async structured() {
    const asked = { ...options, output_config: { format: zodOutputFormat(City) } };
    expectEqual(Object.keys((await client.messages.parse(asked)).parsed_output), ["name"]);
  },
  async count_tokens() {
    const { input_tokens } = await client.messages.countTokens({ model, messages, tools });
    expectEqual(input_tokens, (await client.messages.create({ ...options, tools })).usage.input_tokens);
  },
  async errors() {
    const unknown = await thrown(() => client.messages.create({ ...options, model: "unknown" }));
    expectEqual([unknown.constructor.name, unknown.type], ["NotFoundError", "not_found_error"]);
    expect(unknown.requestID, "no request id");
    const invalid = await thrown(() => client.messages.create({ ...options, max_tokens: "many" }));
    expectEqual([invalid.constructor.name, invalid.type], ["BadRequestError", "invalid_request_error"]);
    const other = await thrown(() => new Anthropic({ baseURL: url, apiKey: "x".repeat(40) }).messages.create(options));
    expectEqual([other.constructor.name, other.status], ["AuthenticationError", 401]);
  },
});
