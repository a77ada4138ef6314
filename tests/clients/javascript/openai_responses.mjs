// OpenAI's own client with its Responses API.
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { expect, expectEqual, key, model, openaiUrl, prompt, run, thrown, weather } from "./checks.mjs";

const client = new OpenAI({ baseURL: openaiUrl, apiKey: key });
const City = z.object({ name: z.string() });
const tools = [{ type: "function", name: "weather", parameters: weather, strict: true }];

await run(["openai"], {
  async chat() {
    const response = await client.responses.create({ model, input: prompt, instructions: "Be brief." });
    expect(response.output_text);
    expectEqual(response.status, "completed");
    expect(response.usage.total_tokens > 0, "no usage");
  },
  async stream() {
    const options = { model, input: prompt, max_output_tokens: 10, temperature: 0 };
    const whole = await client.responses.create(options);
    let streamed = "", numbers = [];
    for await (const event of await client.responses.create({ ...options, stream: true })) {
      if (event.type === "response.output_text.delta") streamed += event.delta;
      numbers.push(event.sequence_number);
    }
    expectEqual(streamed, whole.output_text);
    expectEqual(numbers, [...numbers.keys()]);
    const final = await client.responses.stream(options).finalResponse();
    expectEqual([final.output_text, final.status, final.usage], [whole.output_text, "incomplete", whole.usage]);
    expectEqual(final.incomplete_details, { reason: "max_output_tokens" });
  },
  async tools() {
    const options = { model, input: prompt, tools, tool_choice: "required" };
    for (const response of [client.responses.create(options), client.responses.stream(options).finalResponse()]) {
      const [call] = (await response).output;
      expectEqual([call.type, call.name, Object.keys(JSON.parse(call.arguments))], ["function_call", "weather", ["city"]]);
    }
  },
  async agent() {
    const first = await client.responses.create({ model, input: prompt, tools });
    const calls = first.output.filter((item) => item.type === "function_call");
    expectEqual(calls.length, 1);
    const results = calls.map(({ call_id }) => ({ type: "function_call_output", call_id, output: "Sunny." }));
    const input = [{ role: "user", content: prompt }, ...first.output, ...results];
    expect((await client.responses.create({ model, input, tools })).output_text);
  },
  async structured() {
    const response = await client.responses.parse({ model, input: prompt, text: { format: zodTextFormat(City, "city") } });
    expectEqual(Object.keys(response.output_parsed), ["name"]);
  },
  async errors() {
    const create = (options) => client.responses.create({ model, input: prompt, ...options });
    const unknown = await thrown(() => create({ model: "gpt-4" }));
    expectEqual([unknown.constructor.name, unknown.code, unknown.param], ["NotFoundError", "model_not_found", "model"]);
    const stored = await thrown(() => create({ previous_response_id: "resp_1" }));
    expectEqual([stored.constructor.name, stored.param], ["BadRequestError", "previous_response_id"]);
  },
});
