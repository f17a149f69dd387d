// Products on gpu.js: ours beside the three lines of gpu.js's read-me, in the same run; in Node's modes, and in a real Chromium on WebGL2.
// node bench/gpujs-gemm.mjs [N]
import { contest } from "./gpujs-gemm-contest.mjs";
import { inChromium } from "./in-chromium.mjs";
import { header, median, ratio, row } from "./measure.mjs";

const n = Number(process.argv[2] ?? 128);
const ROUNDS = 5;

function show(mode, { device, apart, seconds }) {
  console.log(`\n## f32 GEMM ${n}³ on gpu.js, ${mode} (${device}); results ${apart.toExponential(1)} apart at most\n`);
  header("", "ms", "GFLOP/s", "of the plain one");
  for (const [name, values] of Object.entries(seconds))
    row(
      name,
      (1000 * median(values)).toFixed(1),
      ((2 * n ** 3) / median(values) / 1e9).toFixed(3),
      `${ratio(seconds.plain, values).toFixed(2)}×`,
    );
}

for (const mode of ["cpu", "webasm"]) show(mode, await contest(mode, n, ROUNDS));
show(
  "webgl2",
  await inChromium("gpujs-gemm-contest.mjs", (page) =>
    page.evaluate(([n, rounds]) => self.benched.contest("webgl2", n, rounds), [n, ROUNDS]),
  ),
);
process.exit(0);
