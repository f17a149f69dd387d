// The sixteen numbers of NF4 over what they stand for: every linear weight of the embedded model, divided by the largest of its block.
import { int4, nf4 } from "../../packages/core/dist/index.js";
import { microWeights } from "./micro.mjs";
import { box, figure, scale, segment, text } from "./svg.mjs";

const BLOCK = 64;
const BINS = 96;

export async function draw() {
  const counts = new Array(BINS).fill(0);
  let total = 0;
  for (const weights of await microWeights()) {
    for (let start = 0; start < weights.length; start += BLOCK) {
      const block = weights.subarray(start, start + BLOCK);
      const largest = block.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
      for (const w of block) counts[Math.min(BINS - 1, Math.floor(((w / largest + 1) / 2) * BINS))]++;
      total += block.length;
    }
  }
  const x = scale([-1, 1], [40, 650]);
  const y = scale([0, Math.max(...counts)], [210, 40]);
  const bars = counts.map((n, i) => box(x(-1 + (2 * i) / BINS), y(n), 610 / BINS - 1, 210 - y(n), "f3 dim"));
  const marks = [...nf4().codeBook].flatMap((level) => [
    segment(x(level), 40, x(level), 210, "axis s0"),
    segment(x(level), 210, x(level), 232, "s0 line"),
  ]);
  const even = [...new Set(int4().codeBook)].map((level) => segment(x(level), 252, x(level), 274, "s1 line"));
  const ticks = [-1, -0.5, 0, 0.5, 1].map((v) => text(x(v), 300, v, { anchor: "middle", kind: "quiet small" }));
  return figure(
    "Histogram of weights divided by their block's largest: a bell around zero. The sixteen values of NF4 stand dense around zero and wide at the ends; those of Int4 at even distances.",
    720,
    330,
    [
      text(40, 20, `${total.toLocaleString("en").replaceAll(",", " ")} weights, each divided by the largest of its block of ${BLOCK}`, {
        kind: "title",
      }),
      bars,
      marks,
      segment(40, 210, 650, 210, "axis"),
      text(660, 226, "NF4"),
      segment(40, 274, 650, 274, "axis"),
      even,
      text(660, 268, "Int4"),
      ticks,
      text(345, 322, "weight / largest of its block", { anchor: "middle", kind: "quiet" }),
    ],
  );
}
