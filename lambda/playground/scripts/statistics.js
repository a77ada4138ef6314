// What a response took: tokens, tokens per second, time to first token.

// What arrives within less time arrives together, which says nothing about the speed of the model.
const MIN_SECONDS = 0.1;

const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

export class Statistics {
  #begin = performance.now();
  #first = null;
  #latest = null;
  #chunks = 0;
  usage = null;
  finishReason = null;
  isStopped = false;

  countChunk() {
    this.#latest = performance.now();
    this.#first ??= this.#latest;
    this.#chunks += 1;
  }

  // Until the usage arrives, a chunk is taken for a token, which TGI's streams nearly always make it.
  toString() {
    const { usage } = this, tokens = usage?.completion_tokens ?? this.#chunks;
    const seconds = (this.#latest - this.#first) / 1000;
    return [
      this.#first !== null && `${usage ? "" : "about "}${plural(tokens, "token")}`,
      seconds >= MIN_SECONDS && `${((tokens - 1) / seconds).toFixed(1)} tokens/s`,
      this.#first !== null && `time to first token ${Math.round(this.#first - this.#begin)} ms`,
      usage && `prompt ${plural(usage.prompt_tokens, "token")}`,
      this.finishReason === "length" && "cut off at max tokens",
      this.isStopped && "stopped",
    ].filter(Boolean).join(" · ");
  }
}
