// The client of the Hugging Face Hub: its chats go to any URL, its text generation speaks TGI.
import { InferenceClient } from "@huggingface/inference";
import { expect, expectEqual, key, messages, prompt, run, thrown, url, weather } from "./checks.mjs";

// With a URL alone, which the client sends as the model's name as well.
const client = new InferenceClient(key, { endpointUrl: url });
const tools = [{ type: "function", function: { name: "weather", parameters: weather } }];
const response_format = { type: "json_schema", json_schema: { name: "place", schema: weather, strict: true } };

await run(["@huggingface/inference"], {
  async chat() {
    expect((await client.chatCompletion({ messages })).choices[0].message.content);
  },
  async stream() {
    let text = "";
    for await (const chunk of client.chatCompletionStream({ messages })) text += chunk.choices[0]?.delta.content ?? "";
    expect(text);
  },
  async generate() {
    expect((await client.textGeneration({ inputs: prompt, parameters: { max_new_tokens: 10 } })).generated_text);
    let events = 0;
    for await (const _ of client.textGenerationStream({ inputs: prompt, parameters: { max_new_tokens: 10 } })) events += 1;
    expect(events > 5, `${events} events`);
  },
  async tools() {
    const [call] = (await client.chatCompletion({ messages, tools, tool_choice: "required" })).choices[0].message.tool_calls;
    expectEqual(Object.keys(JSON.parse(call.function.arguments)), ["city"]);
  },
  async structured() {
    const { content } = (await client.chatCompletion({ messages, response_format })).choices[0].message;
    expectEqual(Object.keys(JSON.parse(content)), ["city"]);
  },
  async errors() {
    const error = await thrown(() => new InferenceClient("x".repeat(40), { endpointUrl: url }).chatCompletion({ messages }));
    expectEqual(error.httpResponse.status, 401);
    expectEqual(error.httpResponse.body.error.code, "invalid_api_key");
  },
});
