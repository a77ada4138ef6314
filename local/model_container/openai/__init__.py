"""What containers that speak OpenAI's protocol answer: vLLM, SGLang and LMI, over the toy. A program of its own."""
