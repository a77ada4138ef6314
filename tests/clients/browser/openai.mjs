// The package openai in a page of another origin.
import OpenAI from "openai";
import { expect, expectEqual, messages, thrown } from "/expect.mjs";

export function checks(url, key) {
  const baseURL = `${url}/v1`;
  const options = { baseURL, dangerouslyAllowBrowser: true, maxRetries: 0 };
  const client = new OpenAI({ ...options, apiKey: key });
  const chat = { model: "llama", messages, max_tokens: 10 };

  return {
    async "lists the models"() {
      const names = [];
      for await (const model of client.models.list()) names.push(model.id);
      expectEqual(names, ["llama"]);
    },
    async "chats, and reads the id of the request"() {
      const completion = await client.chat.completions.create(chat);
      expect(completion.choices[0].message.content, "no content");
      expect(/^[0-9a-f-]{36}$/.test(completion._request_id), `request id ${completion._request_id}`);
    },
    async "streams a chat"() {
      let chunks = 0;
      for await (const chunk of await client.chat.completions.create({ ...chat, stream: true })) chunks += chunk.choices.length;
      expect(chunks > 5, `${chunks} chunks`);
    },
    async "streams with its helper"() {
      const deltas = [];
      const stream = client.chat.completions.stream(chat).on("content", (delta) => deltas.push(delta));
      const completion = await stream.finalChatCompletion();
      expectEqual(deltas.join(""), completion.choices[0].message.content);
      expect(deltas.length > 5, `${deltas.length} deltas`);
    },
    async "runs tools"() {
      const cities = [];
      const weather = {
        name: "weather",
        description: "The weather in a city",
        parse: JSON.parse,
        parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
        function: ({ city }) => cities.push(city),
      };
      const runner = client.chat.completions.runTools({
        ...chat,
        max_tokens: 200,
        tools: [{ type: "function", function: weather }],
        tool_choice: { type: "function", function: { name: "weather" } },
      });
      expectEqual((await runner.finalFunctionToolCall()).name, "weather");
      expectEqual(typeof cities[0], "string");
    },
    async "reads why a request is rejected"() {
      const error = await thrown(() => client.chat.completions.create({ ...chat, logit_bias: { 50256: -100 } }));
      expectEqual([error.constructor.name, error.status, error.param], ["BadRequestError", 400, "logit_bias"]);
      expect(error.requestID, "no request id");
    },
    async "reads that API Gateway does not know the key, long or short"() {
      for (const apiKey of ["x".repeat(40), "short"]) {
        const error = await thrown(() => new OpenAI({ ...options, apiKey }).models.list());
        expectEqual([error.constructor.name, error.status, error.code], ["AuthenticationError", 401, "invalid_api_key"]);
        expect(error.requestID, "no request id");
      }
    },
    async "reads that there is no such route or method"() {
      const unknown = await thrown(() => client.embeddings.create({ model: "llama", input: "Hi" }));
      expectEqual([unknown.constructor.name, unknown.status, unknown.code], ["NotFoundError", 404, "unknown_url"]);
      const refused = await thrown(() => client.models.delete("llama"));
      expectEqual([refused.status, refused.headers.get("allow")], [405, "GET, HEAD"]);
    },
  };
}
