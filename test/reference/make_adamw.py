"""Prints the goldens of packages/core/src/optim/adamw.test.ts and clip.test.ts: torch.optim.AdamW and clip_grad_norm_ on the CPU, float32.
usage: python make_adamw.py
"""
import torch

GRADS = [[0.5, -0.25, 0.0, 1e-4], [0.25, 0.75, -1e-8, 3.0], [-2.0, 0.125, 0.0, -1e-4]]
SETTINGS = [
    dict(lr=2e-4, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0),
    dict(lr=1e-2, betas=(0.9, 0.95), eps=1e-6, weight_decay=0.1),
    dict(lr=1e-3, betas=(0.8, 0.99), eps=1e-3, weight_decay=0.01),
]
print("torch", torch.__version__)
for s in SETTINGS:
    p = torch.nn.Parameter(torch.tensor([1.0, -0.5, 0.25, 0.0]))
    o = torch.optim.AdamW([p], **s)
    print(s)
    for g in GRADS:
        p.grad = torch.tensor(g)
        o.step()
        st = o.state[p]
        print(" p", p.tolist(), "m", st["exp_avg"].tolist(), "v", st["exp_avg_sq"].tolist())
for max_norm in (0.3, 1.0, 10.0):
    ps = [torch.nn.Parameter(torch.zeros(n)) for n in (3, 1)]
    for p, g in zip(ps, ([0.5, -0.25, 2.0], [-1.5])):
        p.grad = torch.tensor(g)
    norm = torch.nn.utils.clip_grad_norm_(ps, max_norm)
    print("clip", max_norm, "norm", norm.item(), "clipped", [p.grad.tolist() for p in ps])
