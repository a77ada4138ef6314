"""Containers that speak OpenAI's protocol: vLLM, SGLang, DJL LMI and others."""
