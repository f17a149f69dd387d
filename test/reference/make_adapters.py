"""Writes adapters.json and adapters.safetensors beside this script: loss and gradients of adapters of every kind, as PEFT computes them on the tiny models of
../shared/reference/families, over float32 and over NF4 with double quantization. Parameters are set by a formula, so that any language can set them too:
parameter k (in PEFT's order of names, sorted), element i:  A 0.1 sin(0.37 i + k), B 0.02 cos(0.53 i + k), magnitudes x (1 + 0.05 sin(i + k)), what is trained
whole + 0.02 sin(0.11 i + k). Of a gradient every s-th element is kept, s = ceil(n / 1024).
usage: python make_adapters.py FAMILIES       (torch 2.13, transformers 5.23.0, peft 0.21.2, bitsandbytes 0.50.2; FAMILIES/../exact_bitsandbytes.py)
"""
import json
import math
import sys
from importlib.metadata import version
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

families = Path(sys.argv[1])
sys.path.insert(0, str(families.parent))
import exact_bitsandbytes  # noqa: E402, F401

ALL = "all-linear"
CASES = {
    "dora": ("llama", False, dict(use_dora=True, target_modules=ALL)),
    "dora_nf4": ("llama", True, dict(use_dora=True, target_modules=["q_proj", "o_proj", "down_proj"], use_rslora=True)),
    "dora_bias": ("qwen2", False, dict(use_dora=True, target_modules=["q_proj", "o_proj"])),
    "dora_conv1d": ("gpt2", False, dict(use_dora=True, target_modules=ALL, fan_in_fan_out=True)),
    "saved": ("llama", False, dict(target_modules=["q_proj"], modules_to_save=["lm_head", "embed_tokens"])),
    "saved_nf4": ("llama", True, dict(target_modules=["q_proj"], modules_to_save=["lm_head"])),
    "saved_tied_head": ("llama_tied_rope3", False, dict(target_modules=["v_proj"], modules_to_save=["lm_head"])),
    "saved_tied_embedding": ("llama_tied_rope3", False, dict(target_modules=["v_proj"], modules_to_save=["embed_tokens"])),
    "saved_tied_both": ("llama_tied_rope3", False, dict(target_modules=["v_proj"], modules_to_save=["embed_tokens", "lm_head"])),
    "saved_norm": ("llama", False, dict(target_modules=["v_proj"], modules_to_save=["norm"])),
    "saved_head_renamed": ("gpt_neox", False, dict(target_modules=["dense"], modules_to_save=["lm_head", "final_layer_norm"])),
    "saved_positions": ("gpt2", False, dict(target_modules=["c_fc"], modules_to_save=["wpe", "ln_f"], fan_in_fan_out=True)),
    "bias_all": ("qwen2", False, dict(target_modules=["o_proj", "q_proj"], bias="all")),
    "bias_lora_only": ("qwen2", True, dict(target_modules=["o_proj", "q_proj"], bias="lora_only")),
    "bias_norms": ("gpt2", False, dict(target_modules=["c_attn"], bias="all", fan_in_fan_out=True)),
}


def set_by_formula(name, k, p):
    i = torch.arange(p.numel(), dtype=torch.float64).view(p.shape)
    if "lora_A" in name:
        value = 0.1 * torch.sin(0.37 * i + k)
    elif "lora_B" in name:
        value = 0.02 * torch.cos(0.53 * i + k)
    elif "magnitude" in name:
        value = p.double() * (1 + 0.05 * torch.sin(i + k))
    else:
        value = p.double() + 0.02 * torch.sin(0.11 * i + k)
    p.data = value.float()


def file_name(name):
    """As get_peft_model_state_dict names it."""
    name = name.replace(".modules_to_save.default", "").replace(".default", "")
    return name.replace("lora_magnitude_vector.weight", "lora_magnitude_vector")


facts, tensors = {}, {}
for case, (family, four_bit, options) in CASES.items():
    torch.manual_seed(0)
    path = families / family
    quantization = dict(
        device_map="cpu",
        quantization_config=BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.float32
        ),
    )
    model = AutoModelForCausalLM.from_pretrained(path, attn_implementation="eager", dtype=torch.float32, **(quantization if four_bit else {}))
    model = get_peft_model(model, LoraConfig(r=2, lora_alpha=4, task_type="CAUSAL_LM", **options)).eval()
    trained = sorted((file_name(n), p) for n, p in model.named_parameters() if p.requires_grad)
    for k, (name, p) in enumerate(trained):
        set_by_formula(name, k, p)
    golden = load_file(path / "golden.safetensors")
    loss = model(**{key: golden[key] for key in ("input_ids", "attention_mask", "labels")}).loss
    loss.backward()
    config = json.loads(json.dumps(model.peft_config["default"].to_dict(), default=lambda x: sorted(x)))
    saved = {k: v for k, v in config.items() if k not in ("peft_version", "runtime_config") and v is not None}
    facts[case] = {"family": family, "four_bit": four_bit, "config": {**saved, "target_modules": sorted(config["target_modules"])}, "loss": loss.item()}
    for name, p in trained:
        g = p.grad.reshape(-1)
        tensors[f"{case}/{name}"] = g[:: math.ceil(len(g) / 1024)].clone()
    print(case, loss.item(), len(trained))

here = Path(__file__).parent
versions = {name: version(name) for name in ("torch", "transformers", "peft", "bitsandbytes")}
(here / "adapters.json").write_text(json.dumps({"versions": versions, "cases": facts}, indent=1, sort_keys=True) + "\n")
save_file(tensors, here / "adapters.safetensors")
