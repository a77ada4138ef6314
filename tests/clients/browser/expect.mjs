// What the checks in a browser and in Node have in common.
export const messages = [{ role: "user", content: "What is deep learning?" }];

/** Fail unless something is true. */
export function expect(condition, message) {
  if (!condition) throw new Error(message ?? "not as expected");
}

/** Fail unless two values have the same JSON. */
export function expectEqual(found, expected) {
  expect(JSON.stringify(found) === JSON.stringify(expected), `${JSON.stringify(found)} != ${JSON.stringify(expected)}`);
}

/** What a call throws; fails if it throws nothing. */
export async function thrown(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
