"""Engines that speak OpenAI's protocol."""
