// SmolLM2-135M-Instruct as a Hugging Face folder, and what transformers, PEFT and bitsandbytes compute on it. Both are beside the repository, not in it;
// a test that needs them skips where they are absent.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../", import.meta.url));

/** The folder of models and reference data beside the repository. */
const SHARED = join(repository, "..", "shared");

/** The model as a GGUF file, Q4_1 with embeddings in Q8_0. */
export const SMOLLM2_GGUF = join(SHARED, "models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");

/** Reference data of SmolLM2: golden.json, train.jsonl, adapters. */
export const SMOLLM2_REFERENCE = join(SHARED, "reference", "smollm2");

/** Whether model and reference data are there. */
export const hasSmolLm2 = existsSync(join(SHARED, "models", "unpack.mjs")) && existsSync(SMOLLM2_REFERENCE);

/** The path of the model's folder; unpacks it (270 MB, some seconds) when it is asked for first. */
export function smolLm2Folder(): string {
  const folder = join(repository, "node_modules", ".cache", "qlora-js", "smollm2");
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  // Several test files may come here at once: each unpacks aside, the first to finish gives the folder its name.
  const aside = mkdtempSync(`${folder}-`);
  execFileSync(process.execPath, [join(SHARED, "models", "unpack.mjs"), aside], { stdio: "ignore" });
  try {
    renameSync(aside, folder);
  } catch (error) {
    rmSync(aside, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
