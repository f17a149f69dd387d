// A small QLoRA step on WebGL2 in a real Chromium, a thousand times: WebGL's own objects that are live after step 10, and after the last.
// node bench/gpujs-steps.mjs [STEPS]
import { inChromium } from "./in-chromium.mjs";
import { header, row } from "./measure.mjs";

const steps = Number(process.argv[2] ?? 1000);
const counted = [10, Math.round(steps / 2), steps];
const { first, last, objects, left } = await inChromium("../test/browser/webgl-in-page.ts", (page) =>
  page.evaluate(([steps, counted]) => self.benched.learn(steps, counted), [steps, counted]),
);
console.log(`loss ${first.toFixed(4)} → ${last.toFixed(4)} in ${steps} steps\n`);
const kinds = Object.keys(objects[0]);
header("live after step", ...kinds.map((kind) => `${kind.toLowerCase()}s`));
for (const [i, step] of counted.entries()) row(step, ...kinds.map((kind) => objects[i][kind]));
console.log(`\nafter all was disposed of: ${left.liveBuffers} buffers, ${left.liveTextures} textures`);
process.exit(0);
