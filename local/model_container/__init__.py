"""A model container that speaks TGI 3.3.6's HTTP protocol over a toy text generator.

It is no language model: it answers with a short, deterministic text that says so and repeats words of the prompt.
Everything around the text (routes, validation, errors, streaming, headers) is what TGI 3.3.6 does.
"""
