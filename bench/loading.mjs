// How long SmolLM2-135M takes to load from each kind of file, and how much more memory that takes than the model it leaves; a process for each, in turns.
// node loading.mjs MODEL_DIR GGUF_FILE [ROUNDS]
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setup } from "../scripts/setup.mjs";
import { header, median, row, turns } from "./measure.mjs";

const [model, gguf, rounds = "5"] = process.argv.slice(2);
if (!model || !gguf) {
  console.error("usage: node loading.mjs MODEL_DIR GGUF_FILE [ROUNDS]   (SmolLM2-135M as a Hugging Face folder and as GGUF)");
  process.exit(2);
}
setup();

function outputOf(args) {
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`node ${args.join(" ")} ended with ${status}: ${stderr}`);
  return stdout;
}
const scratch = mkdtempSync(join(tmpdir(), "qlora-loading-"));
try {
  const packed = join(scratch, "bnb-4bit");
  outputOf([join(import.meta.dirname, "..", "scripts", "qlora.mjs"), "quantize", model, "--to", packed, "--json"]);
  const load = (path) => () => JSON.parse(outputOf(["--max-semi-space-size=1", join(import.meta.dirname, "loading-ours.mjs"), path]));
  const results = await turns(
    { "safetensors, bf16": load(model), "GGUF, Q4_1": load(gguf), "bitsandbytes, NF4 + DQ": load(packed) },
    Number(rounds),
  );
  console.log("\n## Loading SmolLM2-135M as NF4 + double quantization, two threads\n");
  header("", "seconds", "model, MB", "process before, MB", "peak, MB", "more than both, MB");
  for (const [name, list] of Object.entries(results)) {
    const of = (field) => median(list.map((r) => r[field]));
    const more = median(list.map((r) => r.peakMb - r.beforeMb - r.modelMb));
    row(name, of("seconds").toFixed(2), ...[of("modelMb"), of("beforeMb"), of("peakMb"), more].map((mb) => mb.toFixed(0)));
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
