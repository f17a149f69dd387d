"""Writes gguf-dequantize.json beside this script: random blocks of every GGUF type that is read, and what gguf-py makes of them.
The scales of a block are random bits too, so that they are negative, zero, subnormal, infinite and NaN; everything else of a block may be any bits anyway.
usage: python make_gguf.py       (pip install gguf==0.19.0 numpy==2.4.6)
"""
import base64
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize

# where the f16 numbers of a block are
HALVES = {
    T.F32: [], T.F16: [0], T.BF16: [], T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0],
    T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
}
ODD = [0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x7BFF, 0xFBFF, 0x7C00, 0xFC00, 0x7E00]
random = np.random.default_rng(5)
np.seterr(all="ignore")


def encode(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def case(kind):
    size, width = GGML_QUANT_SIZES[kind]
    count = {1: 512, 32: 48, 256: 12}[size]
    blocks = random.integers(0, 256, (count, width), dtype=np.uint8)
    for i, row in enumerate(blocks):
        for at in HALVES[kind]:
            # two thirds of the scales as models have them, the rest anything
            half = np.float16(random.normal() * 0.02).view(np.uint16) if i % 3 else ODD[(i // 3 + at) % len(ODD)]
            row[at : at + 2] = np.array([half], dtype="<u2").view(np.uint8)
    numbers = dequantize(blocks.reshape(1, -1), kind).reshape(-1)
    return {"type": kind.name, "blocks": encode(blocks), "numbers": encode(numbers.astype("<f4"))}


out = {"versions": {"gguf": version("gguf"), "numpy": version("numpy")}, "cases": [case(kind) for kind in HALVES]}
path = Path(__file__).with_name("gguf-dequantize.json")
path.write_text(json.dumps(out, indent=1) + "\n")
print(path.name, path.stat().st_size, "bytes,", ", ".join(f"{c['type']}" for c in out["cases"]))
