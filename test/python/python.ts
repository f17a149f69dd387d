// The Python that some tests compare with: transformers, PEFT, bitsandbytes, TRL, gguf-py. Never needed by the product, and by no test that does not say so:
//   describe.skipIf(python() === undefined)(`bitsandbytes reads what we wrote (${NEEDS_PYTHON})`, …)
// make_environment.sh beside this makes it, with pinned versions.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** For the title of a test that needs Python: why it skips. */
export const NEEDS_PYTHON = "skipped unless QLORA_TEST_PYTHON names a Python made by test/python/make_environment.sh";

/**
 * The path of the Python to compare with: `QLORA_TEST_PYTHON`, or undefined where it is not set.
 * @throws Error if it is set and there is no such file: a test that was asked for does not skip.
 */
export function python(): string | undefined {
  const path = process.env.QLORA_TEST_PYTHON;
  if (path === undefined || path === "") return undefined;
  if (!existsSync(path))
    throw new Error(`QLORA_TEST_PYTHON is ${path}, and there is no such file. Make it with test/python/make_environment.sh.`);
  return path;
}

/** How a script is run. */
export interface RunPythonOptions {
  /** What the script reads from its standard input. */
  readonly input?: string;
  /** Seconds until the script is ended (default 120). */
  readonly timeout?: number;
  /** Environment variables besides ours. The hub is always offline. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** What `runPython` takes for a script: a file's path, or Python text. */
export type PythonScript = string | { readonly code: string };

/**
 * Runs a Python script with arguments and gives what it writes to its standard output.
 * @param script A path relative to the folder test/python (or absolute), or `{ code }`.
 * @throws Error with the end of its standard error if it fails, or does not end in time.
 */
export async function runPython(script: PythonScript, args: readonly string[] = [], options: RunPythonOptions = {}): Promise<string> {
  const { input = "", timeout = 120, environment = {} } = options;
  const interpreter = python();
  if (interpreter === undefined) throw new Error("runPython: QLORA_TEST_PYTHON is not set.");
  const what = typeof script === "string" ? [fileURLToPath(new URL(script, import.meta.url))] : ["-c", script.code];
  const env = { ...process.env, HF_HUB_OFFLINE: "1", TOKENIZERS_PARALLELISM: "false", PYTHONDONTWRITEBYTECODE: "1", ...environment };
  const child = spawn(interpreter, [...what, ...args], { env, stdio: ["pipe", "pipe", "pipe"] });
  const [output, errors] = [child.stdout, child.stderr].map(collected) as [Promise<string>, Promise<string>];
  child.stdin.on("error", () => {}); // a script need not read its input
  child.stdin.end(input);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeout * 1000);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  }).finally(() => clearTimeout(timer));
  const name = typeof script === "string" ? script : "the Python text";
  if (late) throw new Error(`${name} did not end within ${timeout} s. ${tail(await errors)}`);
  if (status !== 0) throw new Error(`${name} ended with ${status}. ${tail(await errors)}`);
  return output;
}

async function collected(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString("utf8");
}

/** The end of what a failing script says, where Python puts its reason. */
const tail = (errors: string): string => errors.trimEnd().slice(-2000);
