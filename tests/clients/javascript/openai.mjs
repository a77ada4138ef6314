// OpenAI's own client.
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { expect, expectEqual, key, messages, model, openaiUrl, run, thrown, weather } from "./checks.mjs";

const client = new OpenAI({ baseURL: openaiUrl, apiKey: key });
const City = z.object({ name: z.string() });
const tools = [{ type: "function", function: { name: "weather", parameters: weather, strict: true } }];

await run(["openai"], {
  async chat() {
    const completion = await client.chat.completions.create({ model, messages });
    expect(completion.choices[0].message.content);
    expect(completion.usage.total_tokens > 0);
  },
  async stream() {
    const options = { model, messages, max_tokens: 10, temperature: 0 };
    const text = (await client.chat.completions.create(options)).choices[0].message.content;
    let streamed = "", usage;
    const stream = await client.chat.completions.create({ ...options, stream: true, stream_options: { include_usage: true } });
    for await (const chunk of stream) {
      streamed += chunk.choices[0]?.delta?.content ?? "";
      usage = chunk.usage ?? usage;
    }
    expectEqual([streamed, usage.completion_tokens], [text, 10]);
    const final = await client.chat.completions.stream(options).finalChatCompletion();
    expectEqual([final.choices[0].message.content, final.choices[0].finish_reason], [text, "length"]);
  },
  async tools() {
    const completion = await client.chat.completions.create({ model, messages, tools, tool_choice: "required" });
    const [call] = completion.choices[0].message.tool_calls;
    expectEqual([call.function.name, Object.keys(JSON.parse(call.function.arguments))], ["weather", ["city"]]);
    expectEqual(completion.choices[0].finish_reason, "tool_calls");
  },
  async agent() {
    const cities = [];
    const tool = { name: "weather", parse: JSON.parse, parameters: weather, function: ({ city }) => cities.push(city) };
    const runner = client.chat.completions.runTools({ model, messages, tools: [{ type: "function", function: tool }] });
    expect(await runner.finalContent());
    expect(cities.length > 0, "no call");
  },
  async structured() {
    const response_format = zodResponseFormat(City, "city");
    const completion = await client.chat.completions.parse({ model, messages, response_format });
    expectEqual(Object.keys(completion.choices[0].message.parsed), ["name"]);
  },
  async complete() {
    expect((await client.completions.create({ model, prompt: "Deep learning is", max_tokens: 5 })).choices[0].text);
  },
  async models() {
    const names = [];
    for await (const each of client.models.list()) names.push(each.id);
    expectEqual(names, [model]);
  },
  async errors() {
    const create = (options) => client.chat.completions.create({ model, messages, ...options });
    const unknown = await thrown(() => create({ model: "gpt-4" }));
    expectEqual([unknown.constructor.name, unknown.code, unknown.param], ["NotFoundError", "model_not_found", "model"]);
    const invalid = await thrown(() => create({ logit_bias: { 50256: -100 } }));
    expectEqual([invalid.constructor.name, invalid.param], ["BadRequestError", "logit_bias"]);
    const other = await thrown(() => new OpenAI({ baseURL: openaiUrl, apiKey: "x".repeat(40) }).models.list());
    expectEqual([other.constructor.name, other.code], ["AuthenticationError", "invalid_api_key"]);
  },
});
