// A page whose origin is not allowed reads nothing.
import { expectEqual, thrown } from "/expect.mjs";

export function checks(url, key) {
  return {
    async "reads nothing of the function"() {
      const error = await thrown(() => fetch(`${url}/v1/models`, { headers: { Authorization: `Bearer ${key}` } }));
      expectEqual(error.name, "TypeError");
    },
  };
}
