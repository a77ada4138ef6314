"""Writes a tiny Llama that says what tests can expect: `python tiny_llama.py FOLDER`, with the packages of an engine.

Its architecture is real, its weights are made: the layers add nothing to the residual stream, so that the last token
alone decides the next one, and the head holds the successor of each token. It answers a chat with `ANSWER`, one whose
last message has `ENDLESS_PROMPT` with `ENDLESS_WORDS` over and over, and one with tools with a call of `TOOL`. Where a
grammar forbids the next token, quotation marks and brackets are the likeliest, so that every JSON value soon ends.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

HUB_ID = "tiny/llama"
ANSWER = "Deep learning trains networks with many layers on raw data🌍."
ENDLESS_PROMPT = "for ever"
ENDLESS_WORDS = (" and", " again")
TOOL = {"name": "weather", "arguments": {"city": "Paris"}}
SEED = 14
VOCABULARY, HIDDEN, LAYERS, HEADS = 512, 256, 2, 4
MAX_LENGTH = 16384

_BEGIN, _END, _TURN, _ASSISTANT, _ENDLESS, _CALL = (
    f"<|{name}|>" for name in ("begin", "end", "turn", "assistant", "endless", "call")
)
_CALL_PIECES = ("<tool_call>", '{"name": "weather"', ', "arguments": ', '{"city": ', '"Paris"}}', "</tool_call>")
# The successor of a token beats what is likely after any token, and that beats what is left to chance.
_SUCCESSOR, _CLOSING, _CONTINUING, _BLANK = 48.0, 24.0, 20.0, -24.0
_TEMPLATE = (
    "{%- for message in messages -%}"
    + _TURN
    + "{{ message.role }}: {{ message.content or '' }}"
    + _END
    + "{%- endfor -%}{%- if add_generation_prompt -%}{%- if tools and messages[-1].role != 'tool' -%}"
    + _CALL
    + "{%- elif '"
    + ENDLESS_PROMPT
    + "' in (messages[-1].content or '') -%}"
    + _ENDLESS
    + "{%- else -%}"
    + _ASSISTANT
    + "{%- endif -%}{%- endif -%}"
)


def write(folder: Path) -> None:
    """Write the model with its tokenizer in the hub's format.

    Args:
        folder: Where to, a new folder.
    """
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_tokenizer(), bos_token=_BEGIN, eos_token=_END, chat_template=_TEMPLATE
    )
    torch.manual_seed(SEED)
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=HIDDEN,
        intermediate_size=2 * HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS // 2,
        max_position_embeddings=MAX_LENGTH,
        tie_word_embeddings=False,
        **ends,
    )
    model = LlamaForCausalLM(config)
    # Signs have the length that the norm before the head leaves as it is.
    signs = torch.randint(0, 2, (VOCABULARY, HIDDEN)) * 2.0 - 1
    signs[:, 0] = 1
    head = torch.zeros(VOCABULARY, HIDDEN)
    for token, successor in _successors(tokenizer):
        head[successor] += signs[token] * _SUCCESSOR / HIDDEN
    for characters, logit in (('"}]', _CLOSING), (",:", _CONTINUING), ("ĠĊĉč", _BLANK)):
        head[tokenizer.convert_tokens_to_ids(list(characters)), 0] += logit
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(signs)
        model.lm_head.weight.copy_(head)
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    model.generation_config = GenerationConfig(**ends)
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _tokenizer():
    """Bytes, and the words of the answers."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(_CALL_PIECES),
        min_frequency=2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=[_BEGIN, _END, _TURN, _ASSISTANT, _ENDLESS, _CALL],
        show_progress=False,
    )
    # Words that come twice become tokens. The emoji stays four: a piece of a stream may end inside a character.
    words = ANSWER.encode("ascii", "ignore").decode().rstrip(" .") + "".join(ENDLESS_WORDS)
    tokenizer.train_from_iterator([words, words], trainer)
    tokenizer.add_tokens([AddedToken(piece, normalized=False) for piece in _CALL_PIECES])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{_BEGIN} $A", special_tokens=[(_BEGIN, tokenizer.token_to_id(_BEGIN))]
    )
    return tokenizer


def _successors(tokenizer) -> list[tuple[int, int]]:
    """Each token that has one, with its successor."""
    answer = tokenizer.encode(ANSWER, add_special_tokens=False)
    ids = tokenizer.convert_tokens_to_ids
    endless = [tokenizer.encode(word, add_special_tokens=False)[0] for word in ENDLESS_WORDS]
    first = answer[0]
    chains = [
        [ids(_ASSISTANT), *answer, ids(_END)],
        [ids("?"), first],
        [ids(_ENDLESS), *endless, endless[0]],
        [ids(_CALL), *ids(list(_CALL_PIECES)), ids(_END)],
    ]
    pairs = [pair for chain in chains for pair in itertools.pairwise(chain)]
    assert len(dict(pairs)) == len(set(pairs)), "a token has two successors"
    return pairs


if __name__ == "__main__":
    write(Path(sys.argv[1]))
    sys.stdout.write(json.dumps({"written": sys.argv[1]}) + "\n")
