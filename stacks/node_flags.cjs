// Node would optimize each function of a WebAssembly module after some calls, on another thread. A synth does not run
// for long enough to gain from that, and Node's exit waits for the function that is being optimized.
// Source of the flag, which is V8's: `node --v8-options`. The figure is bytes that a function has run.
require("node:v8").setFlagsFromString("--wasm-tiering-budget=1000000000");
