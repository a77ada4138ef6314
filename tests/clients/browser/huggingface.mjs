// The package @huggingface/inference in a page of another origin.
import { InferenceClient } from "@huggingface/inference";
import { expect, expectEqual, messages, thrown } from "/expect.mjs";

const prompt = { inputs: "Deep learning is", parameters: { max_new_tokens: 8 } };

export function checks(url, key) {
  const chats = new InferenceClient(key, { endpointUrl: `${url}/v1/chat/completions` });
  const texts = new InferenceClient(key).endpoint(url);

  return {
    async "chats"() {
      const completion = await chats.chatCompletion({ messages, max_tokens: 10 });
      expect(completion.choices[0].message.content, "no content");
    },
    async "streams a chat"() {
      let chunks = 0;
      for await (const chunk of chats.chatCompletionStream({ messages, max_tokens: 10 })) chunks += chunk.choices.length;
      expect(chunks > 5, `${chunks} chunks`);
    },
    async "generates text"() {
      expect((await texts.textGeneration(prompt)).generated_text, "no text");
    },
    async "streams text"() {
      let text = "", events = 0;
      for await (const event of texts.textGenerationStream(prompt)) {
        text += event.choices[0]?.text ?? "";
        events += 1;
      }
      expect(text && events > 5, `${events} events with the text "${text}"`);
    },
    async "passes TGI's parameters on"() {
      const more = { top_k: 5, typical_p: 0.9, top_p: 0.9, temperature: 0.7, do_sample: true, truncate: 50, seed: 3 };
      const same = { details: true, decoder_input_details: false, watermark: false, best_of: 1, stop: ["zebra"] };
      const parameters = { ...prompt.parameters, ...more, ...same, return_full_text: true };
      const { generated_text } = await texts.textGeneration({ ...prompt, parameters });
      expect(generated_text.startsWith(prompt.inputs) && generated_text.length > prompt.inputs.length, generated_text);
    },
    async "follows a grammar"() {
      const parameters = { max_new_tokens: 8, grammar: { type: "regex", value: "(yes|no)" } };
      const { generated_text } = await texts.textGeneration({ ...prompt, parameters });
      expect(["yes", "no"].includes(generated_text), generated_text);
    },
    async "reads that the key is not known"() {
      const error = await thrown(() => new InferenceClient("hf_unknown").endpoint(url).textGeneration(prompt));
      expectEqual(error.httpResponse?.status, 401);
    },
  };
}
