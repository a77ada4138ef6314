// OpenAI's JavaScript client against the deployed front door; prints the results as one line of JSON.
// Usage: node openai_client.mjs <base URL> <key>
import OpenAI from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const messages = [{ role: "user", content: "What is deep learning?" }];
const options = { model: "llama", messages, max_tokens: 10, temperature: 0 };
const results = {};

results.models = [];
for await (const model of await client.models.list()) results.models.push(model.id);

const response = await client.chat.completions.create(options);
results.text = response.choices[0].message.content;
results.finish_reason = response.choices[0].finish_reason;

results.streamed = "";
const stream = await client.chat.completions.create({ ...options, stream: true, stream_options: { include_usage: true } });
for await (const chunk of stream) {
  results.streamed += chunk.choices[0]?.delta?.content ?? "";
  if (chunk.usage) results.usage = chunk.usage.completion_tokens;
}

const completion = await client.completions.create({ model: "llama", prompt: "Deep learning is", max_tokens: 5, temperature: 0 });
results.completion = completion.choices[0].text;

const runner = client.chat.completions.stream(options);
results.final = (await runner.finalChatCompletion()).choices[0].message.content;

const tool = { type: "function", function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } } };
const called = await client.chat.completions.create({ ...options, max_tokens: 200, tools: [tool], tool_choice: "required" });
results.tool = called.choices[0].message.tool_calls?.[0]?.function;
results.tool_reason = called.choices[0].finish_reason;

results.errors = [];
for (const [name, attempt] of Object.entries({
  model: () => client.chat.completions.create({ ...options, model: "gpt-4" }),
  parameter: () => client.chat.completions.create({ ...options, logit_bias: { 50256: -100 } }),
  key: () => new OpenAI({ baseURL, apiKey: "x".repeat(40), maxRetries: 0 }).models.list(),
})) {
  try {
    await attempt();
    results.errors.push([name, "none"]);
  } catch (error) {
    results.errors.push([name, error.constructor.name, error.status, error.code ?? null, error.param ?? null]);
  }
}

console.log(JSON.stringify(results));
