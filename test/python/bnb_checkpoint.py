"""transformers + bitsandbytes on 4-bit checkpoints: python bnb_checkpoint.py OURS MODEL THEIRS

Quantizes MODEL to NF4 without double quantization (whose search for levels bitsandbytes does not do exactly on CPUs) and saves it to THEIRS. Loads OURS and prints what it
continues the ids of its standard input with, greedily, in float32.
"""

import json
import sys

import bitsandbytes
import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

# On some processors bitsandbytes repacks 4-bit weights and computes in bfloat16.
bitsandbytes.nn.modules.has_avx512bf16 = lambda: False

ours, model, theirs = sys.argv[1:]
prompt = json.load(sys.stdin)

plain = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)
AutoModelForCausalLM.from_pretrained(model, quantization_config=plain).save_pretrained(theirs)

wide = AutoModelForCausalLM.from_pretrained(ours, dtype=torch.float32).eval()
for module in wide.modules():
    if isinstance(module, bitsandbytes.nn.Linear4bit):
        module.compute_dtype = torch.float32
ids = torch.tensor([prompt])
with torch.no_grad():
    for _ in range(12):
        ids = torch.cat([ids, wide(ids).logits[:, -1].argmax(-1, keepdim=True)], 1)
print(json.dumps(ids[0, len(prompt) :].tolist()))
