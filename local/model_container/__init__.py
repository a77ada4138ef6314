"""A model container with TGI 3.3.6's HTTP protocol and a toy text generator.

The toy is not a language model: it generates a short deterministic text that says so and repeats words of the prompt.
Everything else (routes, validation, errors, streaming, headers) behaves like TGI 3.3.6.
"""
