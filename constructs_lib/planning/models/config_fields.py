"""The fields of a config.json that planning reads, by every name that architectures give them.

Names are those of the configuration classes of transformers; scripts/generate_config_defaults.py takes the defaults of
these fields from them.
"""

from __future__ import annotations

TEXT_SECTIONS = ("text_config", "llm_config", "language_config")
"""Where a model of several parts describes the one that writes text."""

NESTED = ("attn_config", "ffn_config")
"""Sections of a text model whose fields count as its own (DBRX, MPT)."""

LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
HIDDEN = ("hidden_size", "n_embd", "n_embed", "d_model")
HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads")
KV_HEADS = ("num_key_value_heads", "num_kv_heads", "n_head_kv", "kv_n_heads", "multi_query_group_num")
HEAD_DIM = ("head_dim", "d_kv", "kv_channels")
POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
LONGEST = ("model_max_length",)
VOCABULARY = ("vocab_size", "padded_vocab_size")
INTERMEDIATE = ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", "ff_intermediate_size", "d_ff")
EXPERT_INTERMEDIATE = ("moe_intermediate_size",)
EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
EXPERTS_PER_TOKEN = ("num_experts_per_tok", "moe_top_k")

MLA_KEYS = ("qk_nope_head_dim", "qk_rope_head_dim")
"""The two parts of a head's queries and keys in multi-head latent attention (DeepSeek)."""

_SWITCHES = (
    "alibi",
    "attention_bias",
    "bias",
    "do_layer_norm_before",
    "enable_bias",
    "layer_norm_elementwise_affine",
    "mlp_bias",
    "multi_query",
    "new_decoder_architecture",
    "no_bias",
    "parallel_attn",
    "tie_word_embeddings",
    "use_bias",
    "use_qk_norm",
)
_FURTHER = (
    "expansion_ratio",
    "feed_forward_proj",
    "first_k_dense_replace",
    "kv_lora_rank",
    "n_shared_experts",
    "num_decoder_layers",
    "q_lora_rank",
    "relative_attention_num_buckets",
    "sliding_window",
    "v_head_dim",
    "word_embed_proj_dim",
)

FIELDS = frozenset(
    (
        *LAYERS,
        *HIDDEN,
        *HEADS,
        *KV_HEADS,
        *HEAD_DIM,
        *POSITIONS,
        *LONGEST,
        *VOCABULARY,
        *INTERMEDIATE,
        *EXPERT_INTERMEDIATE,
        *EXPERTS,
        *EXPERTS_PER_TOKEN,
        *MLA_KEYS,
        *_SWITCHES,
        *_FURTHER,
    )
)
"""Every field that is read."""
