// LangChain with its client of OpenAI.
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";
import { expect, expectEqual, key, model as name, openaiUrl, prompt, run, thrown } from "./checks.mjs";

const options = { apiKey: key, configuration: { baseURL: openaiUrl } };
const model = new ChatOpenAI({ ...options, model: name });
const City = z.object({ name: z.string() });
const weather = tool(({ city }) => `Sunny in ${city}.`, {
  name: "weather",
  description: "The weather in a city",
  schema: z.object({ city: z.string() }),
});

await run(["@langchain/openai", "@langchain/core"], {
  async chat() {
    expect((await model.invoke(prompt)).text);
  },
  async stream() {
    let text = "";
    for await (const chunk of await model.stream(prompt)) text += chunk.text;
    expect(text);
  },
  async tools() {
    const { tool_calls } = await model.bindTools([weather], { tool_choice: "required" }).invoke(prompt);
    expectEqual(tool_calls.map((call) => [call.name, Object.keys(call.args)]), [["weather", ["city"]]]);
  },
  async structured() {
    for (const method of ["jsonSchema", "functionCalling"]) {
      expectEqual(Object.keys(await model.withStructuredOutput(City, { method }).invoke(prompt)), ["name"]);
    }
  },
  async errors() {
    const error = await thrown(() => new ChatOpenAI({ ...options, model: "unknown" }).invoke(prompt));
    expectEqual([error.status, error.code], [404, "model_not_found"]);
  },
});
