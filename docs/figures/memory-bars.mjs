// Bytes of a QLoRA step for the four LLaMA sizes, by component, as the plan counts them: NF4 with double quantization, rank 64 on all linear layers, one row
// of 512 tokens, moments in 32 bits, of each layer only its input kept. Beside each bar, what the same step takes in 16 bits.
import { nf4 } from "../../packages/core/dist/index.js";
import { forecast, loraSettings, shapeNamed } from "../../packages/qlora/dist/index.js";
import { box, figure, scale, segment, text } from "./svg.mjs";

const SIZES = ["7b", "13b", "33b", "65b"];
const GROUPS = [
  ["4-bit weights", ["weights"]],
  ["their scales", ["scales"]],
  ["embeddings, head, norms", ["embeddings", "norms"]],
  ["adapter and its gradients", ["adapter", "gradients"]],
  ["moments", ["optimizer"]],
  ["activations and the rest", ["activations", "head", "transient"]],
];
const KINDS = ["f0", "f6", "f3", "f1", "f5", "f2"];

export async function draw() {
  const rows = SIZES.map((size) => {
    const config = shapeNamed(`llama-${size}`);
    const adapter = loraSettings({ rank: 64, alpha: 16, targetModules: "all-linear" });
    const run = {
      dtype: "f16",
      format: nf4(),
      adapter,
      batch: 1,
      length: 512,
      supervised: 256,
      accumulate: 1,
      optimizerBits: 32,
      recompute: ["all"],
    };
    const qlora = forecast(config, run);
    const full = forecast(config, { ...run, format: null, adapter: null });
    return {
      size,
      parts: GROUPS.map(([, names]) => names.reduce((n, name) => n + qlora.components[name], 0)),
      bytes: qlora.deviceBytes,
      full: full.deviceBytes,
    };
  });
  const most = Math.max(...rows.map(({ bytes }) => bytes));
  const ticks = Array.from({ length: Math.floor(most / 10e9) + 1 }, (_, i) => i * 10);
  const x = scale([0, most / 1e9], [60, 560]);
  return figure(
    `Memory of a QLoRA step: ${rows.map(({ size, bytes, full }) => `${size.toUpperCase()} ${gigabytes(bytes)}, in 16 bits ${gigabytes(full)}`).join("; ")}.`,
    720,
    345,
    [
      ticks.map((v) => [segment(x(v), 30, x(v), 238, "grid"), text(x(v), 254, `${v} GB`, { anchor: "middle", kind: "quiet small" })]),
      rows.map(({ size, parts, bytes, full }, i) => {
        const top = 36 + i * 52;
        let at = 0;
        return [
          text(50, top + 22, size.toUpperCase(), { anchor: "end", kind: "title" }),
          parts.map((part, k) => {
            const drawn = box(x(at / 1e9), top, x(part / 1e9) - x(0), 32, KINDS[k]);
            at += part;
            return drawn;
          }),
          text(x(bytes / 1e9) + 8, top + 15, gigabytes(bytes), { kind: "title" }),
          text(x(bytes / 1e9) + 8, top + 30, `16-bit: ${gigabytes(full)}`, { kind: "quiet small" }),
        ];
      }),
      GROUPS.map(([name], i) => {
        const [left, top] = [60 + Math.floor(i / 3) * 320, 280 + (i % 3) * 24];
        return [box(left, top - 10, 12, 12, KINDS[i]), text(left + 18, top, name)];
      }),
    ],
  );
}

const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(bytes < 1e10 ? 1 : 0)} GB`;
