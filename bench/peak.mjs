// The multiply-add ceiling of this engine on this processor: independent chains of f32x4.mul and f32x4.add with nothing else in the loop.
import wabt from "wabt";
import { time } from "./measure.mjs";

const CHAINS = 6;

export async function peakFunction() {
  const chains = Array.from({ length: CHAINS }, (_, i) => i);
  const locals = chains.map((i) => `(local $sum${i} v128) (local $product${i} v128)`).join(" ");
  const start = chains.map((i) => `(local.set $product${i} (f32x4.splat (f32.const ${i + 1}.25)))`).join(" ");
  const body = chains
    .map(
      (i) =>
        `(local.set $product${i} (f32x4.mul (local.get $product${i}) (local.get $one))) (local.set $sum${i} (f32x4.add (local.get $sum${i}) (local.get $step)))`,
    )
    .join("\n");
  const end = chains.reduce(
    (all, i) => `(f32x4.add ${all} (f32x4.add (local.get $sum${i}) (local.get $product${i})))`,
    "(local.get $step)",
  );
  const text = `(module (func (export "run") (param $n i32) (result f32) (local $one v128) (local $step v128) ${locals}
    (local.set $one (f32x4.splat (f32.const 1))) (local.set $step (f32x4.splat (f32.const 1e-9))) ${start}
    (loop $again ${body} (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (f32x4.extract_lane 0 ${end})))`;
  const module = (await wabt()).parseWat("peak", text, { simd: true });
  const { instance } = await WebAssembly.instantiate(module.toBinary({}).buffer);
  const iterations = 4e6;
  const flops = iterations * CHAINS * 2 * 4;
  /** GFLOP/s of one thread, over as long a time as the contestants are measured: a short burst would miss what disturbs them. */
  return async () => flops / (await time(() => instance.exports.run(iterations))) / 1e9;
}
