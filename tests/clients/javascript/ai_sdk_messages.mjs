// Vercel's AI SDK with its provider of Anthropic.
import { createAnthropic } from "@ai-sdk/anthropic";
import { APICallError, generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { expect, expectEqual, key, model as name, openaiUrl, prompt, run, thrown } from "./checks.mjs";

const provider = createAnthropic({ baseURL: openaiUrl, apiKey: key });
const model = provider(name);
const weather = tool({
  description: "The weather in a city",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `Sunny in ${city}.`,
});

await run(["@ai-sdk/anthropic", "ai"], {
  async chat() {
    const { text, usage } = await generateText({ model, prompt, system: "Be brief." });
    expect(text);
    expect(usage.outputTokens > 0, "no usage");
  },
  async stream() {
    const result = streamText({ model, prompt });
    let text = "";
    for await (const piece of result.textStream) text += piece;
    expect(text);
    expect((await result.usage).outputTokens > 0, "no usage");
  },
  async tools() {
    const { toolCalls } = await generateText({ model, prompt, tools: { weather }, toolChoice: "required" });
    expectEqual(toolCalls.map((call) => [call.toolName, Object.keys(call.input)]), [["weather", ["city"]]]);
  },
  async agent() {
    const { steps, text } = await generateText({ model, prompt, tools: { weather }, stopWhen: stepCountIs(3) });
    expect(text);
    expectEqual(steps.length, 2);
    const result = streamText({ model, prompt, tools: { weather }, stopWhen: stepCountIs(3) });
    await result.consumeStream();
    expect(await result.text);
  },
  async structured() {
    const output = Output.object({ schema: z.object({ name: z.string() }) });
    expectEqual(Object.keys((await generateText({ model, prompt, output })).output), ["name"]);
    const result = streamText({ model, prompt, output });
    await result.consumeStream();
    expectEqual(Object.keys(await result.output), ["name"]);
  },
  async errors() {
    const error = await thrown(() => generateText({ model: provider("unknown"), prompt }));
    expect(APICallError.isInstance(error), error.stack);
    expectEqual(error.statusCode, 404);
    expect(error.message.includes("`llama`"), error.message);
  },
});
