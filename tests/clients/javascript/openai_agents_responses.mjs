// OpenAI's agents with their default, the Responses API.
import { Agent, run as runAgent, setDefaultOpenAIClient, setTracingDisabled, tool } from "@openai/agents";
import OpenAI from "openai";
import { z } from "zod";
import { expect, expectEqual, key, model, openaiUrl, prompt, run, thrown } from "./checks.mjs";

setTracingDisabled(true);
setDefaultOpenAIClient(new OpenAI({ baseURL: openaiUrl, apiKey: key }));
const City = z.object({ name: z.string() });
const cities = [];
const weather = tool({
  name: "weather",
  description: "The weather in a city",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => (cities.push(city), `Sunny in ${city}.`),
});
const agent = (options) => new Agent({ name: "a", model, ...options });

await run(["@openai/agents", "openai"], {
  async chat() {
    expect((await runAgent(agent({ instructions: "Be brief." }), prompt)).finalOutput);
  },
  async stream() {
    const result = await runAgent(agent(), prompt, { stream: true });
    let text = "";
    for await (const piece of result.toTextStream()) text += piece;
    expectEqual(text, result.finalOutput);
  },
  async tools() {
    expect((await runAgent(agent({ tools: [weather] }), prompt)).finalOutput);
    expect(cities.length > 0, "no call");
  },
  async structured() {
    expectEqual(Object.keys((await runAgent(agent({ outputType: City }), prompt)).finalOutput), ["name"]);
  },
  async agent() {
    const options = { tools: [weather], outputType: City };
    expectEqual(Object.keys((await runAgent(agent(options), prompt)).finalOutput), ["name"]);
    const result = await runAgent(agent(options), prompt, { stream: true });
    await result.completed;
    expectEqual(Object.keys(result.finalOutput), ["name"]);
  },
  async errors() {
    const error = await thrown(() => runAgent(agent({ model: "unknown" }), prompt));
    expectEqual([error.status, error.code], [404, "model_not_found"]);
  },
});
