// What 4 bits cost the embedded model's weights: root mean square of the error over that of the weights, by format and block size.
import { BLOCK_SIZES, dequantizeBlockwise, namedFormat, quantizeBlockwise } from "../../packages/core/dist/index.js";
import { microWeights } from "./micro.mjs";
import { curve, dot, figure, scale, segment, text } from "./svg.mjs";

const FORMATS = ["nf4", "fp4", "int4", "e3m0"];

function error(weights, format) {
  let [wrong, all] = [0, 0];
  for (const w of weights) {
    const back = dequantizeBlockwise(quantizeBlockwise(w, format), format, w.length);
    for (let i = 0; i < w.length; i++) {
      wrong += (w[i] - back[i]) ** 2;
      all += w[i] ** 2;
    }
  }
  return Math.sqrt(wrong / all);
}

export async function draw() {
  const weights = await microWeights();
  const series = FORMATS.map((name) => ({
    name,
    errors: BLOCK_SIZES.map((blockSize) => error(weights, namedFormat(name, { blockSize, doubleQuant: false }))),
  }));
  const most = Math.ceil(Math.max(...series.flatMap(({ errors }) => errors)) * 20) / 20;
  const x = scale([BLOCK_SIZES[0], BLOCK_SIZES.at(-1)], [70, 600], Math.log2);
  const y = scale([0, most], [280, 40]);
  const grid = Array.from({ length: Math.round(most * 20) + 1 }, (_, i) => i / 20);
  return figure(
    `Error of four formats by block size. ${series.map(({ name, errors }) => `${name}: ${errors.map((e) => `${(100 * e).toFixed(1)} %`).join(", ")}`).join(". ")}.`,
    720,
    340,
    [
      text(70, 22, "error of the weights, relative", { kind: "title" }),
      grid.map((v) => [
        segment(70, y(v), 600, y(v), "grid"),
        text(62, y(v) + 4, `${Math.round(v * 100)} %`, { anchor: "end", kind: "quiet small" }),
      ]),
      series.map(({ errors }, i) => {
        const points = errors.map((e, at) => [x(BLOCK_SIZES[at]), y(e)]);
        return [curve(points, `s${i}`), points.map(([px, py]) => dot(px, py, 3.5, `f${i}`))];
      }),
      labels(
        series.map(({ name, errors }) => ({ name: { nf4: "NF4", fp4: "FP4", int4: "Int4", e3m0: "E3M0" }[name], at: y(errors.at(-1)) })),
      ),
      BLOCK_SIZES.map((size) => text(x(size), 300, size, { anchor: "middle", kind: "quiet small" })),
      text(335, 328, "weights that share one scale", { anchor: "middle", kind: "quiet" }),
    ],
  );
}

/** Names at the ends of their lines, moved apart where two would touch. */
function labels(named) {
  let last = Number.NEGATIVE_INFINITY;
  return [...named]
    .sort((a, b) => a.at - b.at)
    .map(({ name, at }) => {
      last = Math.max(at, last + 20);
      return text(612, last + 4, name);
    });
}
