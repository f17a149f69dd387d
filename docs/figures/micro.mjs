// The embedded micro model for figures: its linear weights as they are in the file.
import { fileURLToPath } from "node:url";
import { bf16ToNumber } from "../../packages/core/dist/index.js";
import { linearModules, openModelFiles, readModelConfig } from "../../packages/qlora/dist/index.js";
import { microModelUrl } from "../../packages/qlora/dist/micro.js";
import { openFolder } from "../../packages/qlora/dist/node.js";

/** All linear weights, one Float32Array a matrix. */
export async function microWeights() {
  const folder = await openFolder(fileURLToPath(microModelUrl()));
  const files = await openModelFiles(folder);
  const modules = linearModules(await readModelConfig(folder));
  const bits = await Promise.all(modules.map(({ name }) => files.tensors.get(`${name}.weight`).read()));
  await files.close();
  return bits.map((bytes) => Float32Array.from(new Uint16Array(bytes.buffer), bf16ToNumber));
}
