"""What gguf-py makes of some blocks of weights: F16, Q8_0 and Q4_0.

python make_gguf_quantized.py gguf_quantized.safetensors
Needs gguf 0.19.0, numpy 2.4.6, safetensors 0.8.0.
"""
import sys

import gguf
import numpy as np
from safetensors.numpy import save_file

rng = np.random.default_rng(5)
f32 = np.float32


def blocks():
    for scale in (1e-9, 1e-6, 1e-3, 0.02, 1, 100, 6e4):
        yield from (rng.standard_normal((6, 32)) * scale).astype(f32)
    yield from rng.standard_t(2, (6, 32)).astype(f32)
    zero = np.zeros(32, f32)
    yield zero
    yield -zero
    for at, value in ((0, 1), (31, -1), (7, 2**-24), (9, 65504), (10, -60000)):
        block = zero.copy()
        block[at] = value
        yield block
    # the same magnitude with both signs, in both orders: the first decides the scale
    yield np.tile(np.array([3, -3], f32), 16)
    yield np.tile(np.array([-3, 3], f32), 16)
    # multiples of half a step of Q8_0 and of Q4_0: ties
    yield np.concatenate([np.arange(-15.5, 15.5, 1), [127]]).astype(f32)
    yield np.concatenate([np.arange(-7.75, 7.75, 0.5), [-8]]).astype(f32)
    yield np.concatenate([np.arange(-7.75, 7.75, 0.5), [8]]).astype(f32)
    # ties of f16, at ordinary and at subnormal size
    yield (1 + np.arange(32) * 2**-11).astype(f32)
    yield (np.arange(32) * 2**-25).astype(f32)


values = np.stack(list(blocks()))
kinds = gguf.GGMLQuantizationType
with np.errstate(over="ignore"):
    quantized = {kind.name: gguf.quants.quantize(values, kind) for kind in (kinds.Q8_0, kinds.Q4_0)}
    quantized["F16"] = values.astype(np.float16)
versions = {"gguf": "0.19.0", "numpy": np.__version__}
save_file({"values": values, **quantized}, sys.argv[1], metadata=versions)
