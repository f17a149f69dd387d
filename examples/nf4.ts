// Sixteen numbers are enough: quantize a matrix to NF4, look at what is stored and at the error, and compare with other ways to use four bits.
import { createPlainBackend } from "@qlora-js/backend-cpu";
import { dequantize, fp4, int4, key, nf4, normal, type QFormat, quantize, scope, tensor } from "@qlora-js/core";

const backend = createPlainBackend();
const [rows, columns] = [256, 512];
const weights = normal(key(1), rows * columns, 0.02); // what trained weights look like: bell-shaped, small

const format = nf4({ blockSize: 64, doubleQuant: true });
console.log("the sixteen numbers of NF4, denser where weights are:");
console.log(`  ${[...format.codeBook].map((level) => level.toFixed(3)).join("  ")}\n`);

// One block, step by step: 64 weights share a scale, each becomes the nearest of sixteen numbers.
const block = weights.slice(0, 64);
const absmax = Math.max(...block.map(Math.abs));
const nearest = (value: number): number =>
  format.codeBook.reduce((best, level, code) => (Math.abs(value - level) < Math.abs(value - format.codeBook[best]!) ? code : best), 0);
console.log(`a block's scale is its largest weight, ${absmax.toFixed(5)}. Its first four weights:`);
for (const weight of block.slice(0, 4)) {
  const code = nearest(weight / absmax);
  console.log(
    `  ${weight.toFixed(5).padStart(9)} / scale = ${(weight / absmax).toFixed(3).padStart(6)}  → code ${String(code).padStart(2)} → ${(format.codeBook[code]! * absmax).toFixed(5).padStart(9)}`,
  );
}

/** Root mean square of the error, relative to that of the weights; and bytes a weight. */
async function measure(f: QFormat): Promise<{ error: number; bits: number }> {
  const { back, bytes } = scope(backend, () => {
    const q = quantize(tensor(backend, weights, [rows, columns]), f);
    return { back: dequantize(q), bytes: q.byteLength };
  });
  const values = await back.read();
  back.dispose();
  const rms = (at: (i: number) => number): number => Math.sqrt(weights.reduce((sum, _, i) => sum + at(i) ** 2, 0) / weights.length);
  return { error: rms((i) => values[i]! - weights[i]!) / rms((i) => weights[i]!), bits: (8 * bytes) / weights.length };
}

console.log("\nthe whole matrix      error   bits a weight");
for (const [name, f] of [
  ["NF4", nf4({ doubleQuant: false })],
  ["NF4, double quant.", nf4({ doubleQuant: true })],
  ["FP4", fp4({ doubleQuant: true })],
  ["Int4", int4({ doubleQuant: true })],
  ["NF4, blocks of 512", nf4({ blockSize: 512, doubleQuant: true })],
] as const) {
  const { error, bits } = await measure(f);
  console.log(`  ${name.padEnd(20)} ${(100 * error).toFixed(2)} %   ${bits.toFixed(3)}`);
}
backend.dispose();
