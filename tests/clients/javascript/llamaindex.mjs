// LlamaIndex with its client of OpenAI.
import { OpenAI } from "@llamaindex/openai";
import { tool } from "llamaindex";
import { z } from "zod";
import { expect, expectEqual, key, messages, model as name, openaiUrl, run, thrown } from "./checks.mjs";

const options = { apiKey: key, baseURL: openaiUrl };
const model = new OpenAI({ ...options, model: name });
const weather = tool({
  name: "weather",
  description: "The weather in a city",
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => `Sunny in ${city}.`,
});

await run(["@llamaindex/openai", "llamaindex"], {
  async chat() {
    expect((await model.chat({ messages })).message.content);
  },
  async stream() {
    let text = "";
    for await (const chunk of await model.chat({ messages, stream: true })) text += chunk.delta;
    expect(text);
  },
  async tools() {
    const { message } = await model.chat({ messages, tools: [weather] });
    expectEqual(message.options.toolCall.map((call) => call.name), ["weather"]);
  },
  async structured() {
    const { message } = await model.chat({ messages, responseFormat: z.object({ name: z.string() }) });
    expectEqual(Object.keys(JSON.parse(message.content)), ["name"]);
  },
  async errors() {
    const error = await thrown(() => new OpenAI({ ...options, model: "unknown" }).chat({ messages }));
    expectEqual([error.status, error.code], [404, "model_not_found"]);
  },
});
