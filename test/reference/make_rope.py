"""Writes packages/qlora/src/nn/rope-tables.reference.json: rotary frequencies and attention factors of transformers, for every kind of scaling.
usage: python make_rope.py > rope-tables.reference.json
"""
import json
import sys

import torch
import transformers
from transformers import LlamaConfig, Phi3Config
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.phi3.modeling_phi3 import Phi3RotaryEmbedding

size = dict(hidden_size=64, num_attention_heads=4, intermediate_size=96, num_hidden_layers=2, vocab_size=256)
CASES = [
    ("default", {}, {}),
    ("linear", {"rope_type": "linear", "factor": 4.0}, {}),
    ("dynamic", {"rope_type": "dynamic", "factor": 2.0}, {}),
    ("llama3", {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32}, {}),
    ("yarn", {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}, {}),
    ("yarn, mscale", {"rope_type": "yarn", "factor": 40.0, "mscale": 1.0, "mscale_all_dim": 0.8, "beta_fast": 16, "beta_slow": 2, "truncate": False, "original_max_position_embeddings": 32}, {}),
    ("yarn, given factor", {"rope_type": "yarn", "factor": 4.0, "attention_factor": 1.5, "original_max_position_embeddings": 32}, {"head_dim": 32}),
    ("longrope", {"rope_type": "longrope", "short_factor": [1 + 0.1 * i for i in range(8)], "long_factor": [1 + 2.0 * i for i in range(8)]}, {"original_max_position_embeddings": 32}),
    ("longrope, part of a head", {"rope_type": "longrope", "short_factor": [1 + 0.1 * i for i in range(6)], "long_factor": [1 + 2.0 * i for i in range(6)], "partial_rotary_factor": 0.75}, {"original_max_position_embeddings": 32}),
]
out = {"versions": {"transformers": transformers.__version__, "torch": torch.__version__}, "cases": []}
for name, rope, more in CASES:
    phi = rope.get("rope_type") == "longrope"
    config_class, rotary_class = (Phi3Config, Phi3RotaryEmbedding) if phi else (LlamaConfig, LlamaRotaryEmbedding)
    given = dict(size, max_position_embeddings=128, pad_token_id=0, rope_parameters={"rope_theta": 10000.0, **(rope or {"rope_type": "default"})}, **more)
    config = config_class(**given)
    for length in (24, 100, 300):
        rotary = rotary_class(config)
        cos, sin = rotary(torch.zeros(1, 1, 64), torch.arange(length)[None])
        half = cos.shape[-1] // 2
        json_config = dict(size, model_type="phi3" if phi else "llama", max_position_embeddings=128, rope_theta=10000.0, rope_scaling=rope or None, **more)
        out["cases"].append(
            {
                "name": f"{name}, {length} tokens",
                "config": json_config,
                "length": length,
                "frequencies": rotary.inv_freq.tolist(),
                "attentionFactor": float(rotary.attention_scaling),
                "lastCos": cos[0, -1, :half].tolist(),
                "lastSin": sin[0, -1, :half].tolist(),
            }
        )
json.dump(out, sys.stdout)
