"""OpenAI's Responses API, without a store: each request carries its whole conversation."""
