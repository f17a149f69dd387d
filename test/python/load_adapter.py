"""What PEFT computes with an adapter's folder on a model: logits of the token ids of standard input, as JSON.
usage: load_adapter.py MODEL ADAPTER            logits [rows, length, vocabulary], and the warnings of loading
       load_adapter.py MODEL --pissa RANK ALPHA NAME   the product s·B·A that PEFT's PiSSA begins with in one module
       load_adapter.py MODEL --save-pissa FOLDER   saves an adapter that PiSSA began, moved by noise, and prints its logits
"""
import json
import sys
import warnings

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

model = AutoModelForCausalLM.from_pretrained(sys.argv[1], attn_implementation="eager", dtype=torch.float32)
if sys.argv[2] == "--pissa":
    rank, alpha, name = int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]
    model = get_peft_model(model, LoraConfig(r=rank, lora_alpha=alpha, init_lora_weights="pissa", target_modules="all-linear"))
    layer = model.get_submodule(f"base_model.model.{name}")
    print(json.dumps(layer.get_delta_weight("default").flatten().tolist()))
elif sys.argv[2] == "--save-pissa":
    torch.manual_seed(0)
    targets = "all-linear"
    model = get_peft_model(model, LoraConfig(r=3, lora_alpha=6, init_lora_weights="pissa", target_modules=targets, task_type="CAUSAL_LM")).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_" in name:
                p += 0.05 * torch.randn_like(p)
        ids = torch.tensor(json.loads(sys.stdin.read()))
        logits = model(input_ids=ids).logits
    model.save_pretrained(sys.argv[3])
    print(json.dumps({"logits": logits.flatten().tolist()}))
else:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = PeftModel.from_pretrained(model, sys.argv[2]).eval()
    ids = torch.tensor(json.loads(sys.stdin.read()))
    with torch.no_grad():
        logits = model(input_ids=ids).logits
    said = [str(w.message) for w in caught if "missing" in str(w.message) or "unexpected" in str(w.message).lower()]
    print(json.dumps({"logits": logits.flatten().tolist(), "warnings": said}))
