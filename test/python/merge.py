"""Merges an adapter with PEFT and compares with a folder that was merged elsewhere; prints JSON.

merge.py BASE ADAPTER MERGED [PROMPT_IDS]
The folder is also loaded by transformers, and continues the ids (joined by commas) greedily.
"""
import json
import sys

import torch
from peft import PeftModel
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

base, adapter, merged, *prompt = sys.argv[1:]
kind = AutoModelForSeq2SeqLM if json.load(open(f"{base}/config.json")).get("is_encoder_decoder") else AutoModelForCausalLM
peft = PeftModel.from_pretrained(kind.from_pretrained(base, dtype="auto"), adapter)
expected = peft.merge_and_unload().state_dict()

names, different, elements, worst = set(), 0, 0, 0.0
with safe_open(f"{merged}/model.safetensors", "pt") as file:
    for name in file.keys():
        # GPT-NeoX's head has one name in files and another in the code
        found, wanted = file.get_tensor(name), expected[name.replace("embed_out.", "lm_head.")]
        assert found.dtype == wanted.dtype and found.shape == wanted.shape, name
        names.add(name)
        elements += found.numel()
        different += (found != wanted).sum().item()
        worst = max(worst, (found.double() - wanted.double()).abs().max().item())

loaded, report = kind.from_pretrained(merged, dtype="auto", output_loading_info=True)
result = {"different": different, "elements": elements, "worst": worst, "missing": sorted(report["missing_keys"])}
if prompt:
    ids = torch.tensor([[int(id) for id in prompt[0].split(",")]])
    with torch.no_grad():
        for _ in range(16):
            ids = torch.cat([ids, loaded(ids).logits[:, -1:].argmax(-1)], 1)
    result["continued"] = ids[0, -16:].tolist()
print(json.dumps(result))
