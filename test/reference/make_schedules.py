"""Prints the goldens of packages/core/src/optim/schedule.test.ts: learning rate factors of transformers.
usage: python make_schedules.py
"""
import torch
import transformers
from transformers.optimization import get_constant_schedule_with_warmup, get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

print("transformers", transformers.__version__)
for name, make in (
    ("constant", lambda o, w, t: get_constant_schedule_with_warmup(o, w)),
    ("linear", get_linear_schedule_with_warmup),
    ("cosine", get_cosine_schedule_with_warmup),
):
    for warmup, total in ((0, 5), (3, 10), (4, 4)):
        o = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        s = make(o, warmup, total)
        factors = []
        for _ in range(total + 2):
            factors.append(s.get_last_lr()[0])
            o.step()
            s.step()
        print(name, warmup, total, factors)
