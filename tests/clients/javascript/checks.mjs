// What every client script has in common: where the front door is, and how the script reports what worked.
//
// A script calls its library as the library's documentation does; only the base URL, the key and the name of the model
// are this front door's. It prints one line of JSON, and exits with 1 if a check failed.
import { readFileSync } from "node:fs";

export { expect, expectEqual, thrown } from "./expect.mjs";

export const url = process.env.FRONT_DOOR_URL;
export const openaiUrl = `${url}/v1`;
export const key = process.env.FRONT_DOOR_KEY;
export const model = "llama";
// The model of the emulated cloud calls a function whose name is in the prompt.
export const prompt = "What is the weather in Paris?";
export const messages = [{ role: "user", content: prompt }];
export const weather = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

/** Run some checks, by name, and report them with the versions of some packages. A check fails if it throws. */
export async function run(packages, checks) {
  const results = {};
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      results[name] = "";
    } catch (error) {
      results[name] = error.stack || String(error);
    }
  }
  const versions = Object.fromEntries(packages.map((name) => [name, versionOf(name)]));
  process.stdout.write(JSON.stringify({ versions, checks: results }) + "\n");
  process.exitCode = Object.values(results).some(Boolean) ? 1 : 0;
}

function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
}
