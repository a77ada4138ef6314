"""The members of a request that are a server's own, beside OpenAI's: they are passed on.

Sources: `ChatCompletionRequest` and `CompletionRequest` of vLLM 0.30.0 (vllm/entrypoints/openai) and of SGLang 0.5.20
(srt/entrypoints/openai/protocol.py). Not among them is what concerns the servers of one cluster (kv_transfer_params,
bootstrap_host, data_parallel_rank), what stands for the prompt unseen (prompt_embeds, input_ids), what would name the
request of another client (request_id, rid), and code (custom_logit_processor).
"""

from front_door.http.json_schema import (
    BOOLEAN,
    NUMBER,
    STRING,
    Type,
    anything,
    array,
    integer,
    one_of,
    string_or,
    struct,
)

_OBJECT = struct({})
_INTEGER = integer(-(2**31), 2**31, "an integer of 32 bits")
_TOKENS = array(_INTEGER, "an array of token ids")
_STRINGS = array(STRING, "an array of strings")

_BOTH: dict[str, Type] = {
    "top_k": _INTEGER,
    "min_p": NUMBER,
    "repetition_penalty": NUMBER,
    "min_tokens": _INTEGER,
    "stop_token_ids": _TOKENS,
    "ignore_eos": BOOLEAN,
    "skip_special_tokens": BOOLEAN,
    "priority": _INTEGER,
    "cache_salt": STRING,
    "return_token_ids": BOOLEAN,
}
_CHATS: dict[str, Type] = {
    "parallel_tool_calls": BOOLEAN,
    "reasoning_effort": string_or(NUMBER),
    "continue_final_message": BOOLEAN,
    "chat_template_kwargs": _OBJECT,
}
VLLM: dict[str, Type] = {
    **_BOTH,
    "length_penalty": NUMBER,
    "use_beam_search": BOOLEAN,
    "include_stop_str_in_output": BOOLEAN,
    "spaces_between_special_tokens": BOOLEAN,
    "truncate_prompt_tokens": _INTEGER,
    "truncation_side": one_of("left", "right"),
    "prompt_logprobs": _INTEGER,
    "logprob_token_ids": _TOKENS,
    "allowed_token_ids": _TOKENS,
    "bad_words": _STRINGS,
    "add_special_tokens": BOOLEAN,
    "response_format": _OBJECT,
    "structured_outputs": _OBJECT,
    "return_tokens_as_token_ids": BOOLEAN,
    "repetition_detection": _OBJECT,
    "stream_interval": integer(1, 2**31, "a number of tokens, at least 1"),
    "watermarking": BOOLEAN,
    "vllm_xargs": _OBJECT,
}
"""Those of a completion for vLLM."""
VLLM_CHAT: dict[str, Type] = {
    **{name: type_ for name, type_ in VLLM.items() if name != "response_format"},
    **_CHATS,
    "echo": BOOLEAN,
    "thinking_token_budget": _INTEGER,
    "include_reasoning": BOOLEAN,
    "add_generation_prompt": BOOLEAN,
    "documents": array(_OBJECT, "an array of objects"),
    "chat_template": STRING,
    "mm_processor_kwargs": _OBJECT,
    "media_io_kwargs": _OBJECT,
    "return_prompt_text": BOOLEAN,
}
"""Those of a chat for vLLM."""
SGLANG: dict[str, Type] = {
    **_BOTH,
    **_CHATS,
    "regex": STRING,
    "ebnf": STRING,
    "stop_regex": string_or(_STRINGS),
    "no_stop_trim": BOOLEAN,
    "reasoning": _OBJECT,
    "separate_reasoning": BOOLEAN,
    "stream_reasoning": BOOLEAN,
    "return_prompt_token_ids": BOOLEAN,
    "return_meta_info": BOOLEAN,
    "return_cached_tokens_details": BOOLEAN,
    "max_dynamic_patch": _INTEGER,
    "min_dynamic_patch": _INTEGER,
    "images_config": _OBJECT,
    "custom_params": anything,
}
"""Those of a chat for SGLang."""
