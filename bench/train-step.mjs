// A training step of SmolLM2-135M, NF4 + double quantization, rank 16 on all linear layers, one row of 256 tokens: ours against transformers + PEFT +
// bitsandbytes in float32 with gradient checkpointing. Whole processes in turns; each reports tokens/s of its median step and its peak resident memory.
// node train-step.mjs MODEL_DIR PYTHON [ROUNDS]
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setup } from "../scripts/setup.mjs";
import { header, median, ratio, row, turns } from "./measure.mjs";

const [model, python, rounds = "3"] = process.argv.slice(2);
if (!model || !python) {
  console.error(
    "usage: node train-step.mjs MODEL_DIR PYTHON [ROUNDS]   (MODEL_DIR: SmolLM2-135M; PYTHON: one with torch, transformers, peft, bitsandbytes)",
  );
  process.exit(2);
}
setup();

function measured(command, args) {
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout.trim().split("\n").at(-1));
}
const here = import.meta.dirname;
const contest = {
  ours: () => measured(process.execPath, ["--max-semi-space-size=1", join(here, "train-step-ours.mjs"), model]),
  theirs: () => measured(python, [join(here, "train-step-theirs.py"), model]),
};
const results = await turns(contest, Number(rounds));
console.log("\n## Training step, SmolLM2-135M, NF4 + DQ, rank 16 all-linear, 256 tokens, two threads\n");
header("", "tokens/s", "step, ms", "peak resident, MB");
for (const [name, list] of Object.entries(results)) {
  const of = (field) => median(list.map((r) => r[field]));
  row(name, of("tokensPerSecond").toFixed(0), of("stepMs").toFixed(0), of("peakMb").toFixed(0));
}
const speeds = (name) => results[name].map((r) => r.tokensPerSecond);
console.log(`\nratio ours / theirs: ${ratio(speeds("ours"), speeds("theirs")).toFixed(2)}×`);
