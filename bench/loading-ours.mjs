// One process of loading.mjs: a model from its files onto the device. Prints a JSON line; memory in units of 2^20 bytes.
import { createCpuBackend } from "@qlora-js/backend-cpu";
import { nf4 } from "@qlora-js/core";
import { loadModel, openModelFiles, readModelConfig } from "@qlora-js/qlora";
import { openFolder } from "@qlora-js/qlora/node";

const MB = 2 ** 20;
const backend = await createCpuBackend({ threads: 2 });
const beforeMb = process.memoryUsage().rss / MB;
const start = performance.now();
const folder = await openFolder(process.argv[2]);
const files = await openModelFiles(folder);
await loadModel(backend, await readModelConfig(folder), files, { format: nf4() });
await files.close();
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ seconds, beforeMb, modelMb: backend.memory().liveBytes / MB, peakMb: process.resourceUsage().maxRSS / 1024 }));
process.exit(0);
