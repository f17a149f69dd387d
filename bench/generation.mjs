// Tokens a second of generation, SmolLM2-135M: ours on NF4 + double quantization against llama.cpp (node-llama-cpp) on a 4-bit GGUF of the same model.
// node generation.mjs MODEL_DIR GGUF_FILE [ROUNDS]
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { nf4 } from "@qlora-js/core";
import { generate, loadModel, openModelFiles, readModelConfig } from "@qlora-js/qlora";
import { openFolder } from "@qlora-js/qlora/node";
import { installPeers } from "./install.mjs";
import { header, median, ratio, row, turns } from "./measure.mjs";

const [model, gguf, rounds = "5"] = process.argv.slice(2);
if (!model || !gguf) {
  console.error("usage: node generation.mjs MODEL_DIR GGUF_FILE [ROUNDS]");
  process.exit(2);
}
installPeers();
const THREADS = 2;
const PROMPT = Array.from({ length: 64 }, (_, i) => ((i * 7919) % 40000) + 20);
const NEW_TOKENS = 100;

async function ours() {
  const backend = await createCpuBackend({ threads: THREADS });
  const folder = await openFolder(model);
  const files = await openModelFiles(folder);
  const llama = await loadModel(backend, await readModelConfig(folder), files, { format: nf4() });
  await files.close();
  return async () => {
    let first = 0;
    let count = -1;
    for await (const _ of generate(llama, PROMPT, { maxNewTokens: NEW_TOKENS + 1, temperature: 0, topK: 0, topP: 1, seed: 0, stopIds: [] }))
      if (++count === 0) first = performance.now();
    return (1000 * count) / (performance.now() - first);
  };
}

async function theirs() {
  const { getLlama } = await import("node-llama-cpp");
  const llama = await getLlama({ gpu: false, build: "never", logLevel: "error", maxThreads: THREADS });
  const context = await (await llama.loadModel({ modelPath: gguf })).createContext({ contextSize: 1024, threads: THREADS, batchSize: 512 });
  const sequence = context.getSequence();
  return async () => {
    await sequence.clearHistory();
    await sequence.evaluateWithoutGeneratingNewTokens(PROMPT.slice(0, -1));
    let first = 0;
    let count = -1;
    for await (const _ of sequence.evaluate([PROMPT.at(-1)], { temperature: 0, yieldEogToken: true })) {
      if (++count === 0) first = performance.now();
      if (count >= NEW_TOKENS) break;
    }
    return (1000 * count) / (performance.now() - first);
  };
}

const results = await turns({ ours: await ours(), theirs: await theirs() }, Number(rounds));
console.log(`\n## Generation, SmolLM2-135M, ${THREADS} threads, tokens/s after a prompt of ${PROMPT.length} (medians)\n`);
header("ours, NF4 + DQ", "llama.cpp, GGUF", "ratio");
row(median(results.ours).toFixed(1), median(results.theirs).toFixed(1), `${ratio(results.ours, results.theirs).toFixed(2)}×`);
process.exit(0);
