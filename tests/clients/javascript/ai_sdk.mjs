// Vercel's AI SDK with its provider of servers that speak OpenAI's protocol.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { expect, expectEqual, key, model as name, openaiUrl, prompt, run, thrown } from "./checks.mjs";

const options = { name: "tgi", baseURL: openaiUrl, apiKey: key, includeUsage: true };
const provider = createOpenAICompatible({ ...options, supportsStructuredOutputs: true });
const model = provider(name);
const weather = tool({
  description: "The weather in a city",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `Sunny in ${city}.`,
});

await run(["ai", "@ai-sdk/openai-compatible"], {
  async chat() {
    expect((await generateText({ model, prompt })).text);
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
  },
  async structured() {
    const output = Output.object({ schema: z.object({ name: z.string() }) });
    expectEqual(Object.keys((await generateText({ model, prompt, output })).output), ["name"]);
    const result = streamText({ model, prompt, output });
    await result.consumeStream();
    expectEqual(Object.keys(await result.output), ["name"]);
    // Unless schemas are declared as supported, the library asks for any JSON object.
    const undeclared = createOpenAICompatible(options)(name);
    expectEqual(typeof (await generateText({ model: undeclared, prompt, output: Output.json() })).output, "object");
  },
  async errors() {
    const error = await thrown(() => generateText({ model: provider("unknown"), prompt }));
    expect(APICallError.isInstance(error), error.stack);
    expectEqual(error.statusCode, 404);
    expect(error.message.includes("`llama`"), error.message);
  },
});
