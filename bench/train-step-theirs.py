"""One process of train-step.mjs: transformers + PEFT + bitsandbytes, float32 compute, gradient checkpointing. Prints a JSON line."""
import json, resource, statistics, sys, time
import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

LENGTH, STEPS = 256, 6
torch.set_num_threads(2)
quantization = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.float32)
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32, quantization_config=quantization, device_map="cpu")
model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=True, gradient_checkpointing_kwargs={"use_reentrant": False})
model = get_peft_model(model, LoraConfig(r=16, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM"))
model.train()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
seconds = []
for step in range(STEPS):
    ids = torch.tensor([[(i * 7919 + step * 104729 + 20) % 49152 for i in range(LENGTH)]])
    start = time.perf_counter()
    model(input_ids=ids, labels=ids).loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.3)
    optimizer.step()
    optimizer.zero_grad()
    seconds.append(time.perf_counter() - start)
step_ms = 1000 * statistics.median(seconds[1:])
print(json.dumps({"stepMs": step_ms, "tokensPerSecond": 1000 * LENGTH / step_ms, "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
