// Runs the real command, its output read, its exit code kept: `qlora` as a user's shell does, in a process of its own; `qloraHere` in the test's process,
// which is some ten times as fast, for tests of what a command does with what it is given. What a process is (signals, threads, memory, standard input, the
// environment) only the first shows.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createProgram } from "../../packages/qlora/dist/cli/program.js";
import { runProgram } from "../../packages/qlora/dist/cli/run-program.js";

const MAIN = fileURLToPath(new URL("../../packages/qlora/dist/cli/main.js", import.meta.url));

export interface Event {
  readonly event: string;
  readonly [name: string]: unknown;
}

export interface Result {
  /** Undefined if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of stdout that are events. */
  readonly events: readonly Event[];
}

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** A command that runs the one that is put behind it, such as `["sh", "-c", 'ulimit -f 9; exec "$@"', "sh"]`. */
  readonly through?: readonly string[];
  /** Called with each event as it is printed, and the process that did. */
  readonly onEvent?: (event: Event, child: ChildProcess) => void;
}

const COMPUTES: ReadonlySet<string> = new Set(["train", "eval", "generate", "chat"]);

/** On one thread if nothing else is said: tests run side by side, and threads that wait for each other would wait long. */
function onOneThread(args: readonly string[]): readonly string[] {
  const [action = "", ...others] = args;
  return COMPUTES.has(action) && !args.includes("--threads") ? [action, "--threads", "1", ...others] : args;
}

/** `qlora …args` in a process of its own, to its end. */
export async function qlora(args: readonly string[], { input, cwd, environment, through = [], onEvent }: RunOptions = {}): Promise<Result> {
  const { FORCE_COLOR: _, ...inherited } = process.env;
  const [program = process.execPath, ...before] = [...through, process.execPath];
  const child = spawn(program, [...before, MAIN, ...onOneThread(args)], {
    cwd,
    env: { ...inherited, ...environment },
    stdio: "pipe",
  });
  let [stdout, stderr, rest] = ["", "", ""];
  const events: Event[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const event = parsed(line);
      if (!event) continue;
      events.push(event);
      onEvent?.(event, child);
    }
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin.on("error", () => {}); // a command that reads nothing may be gone already
  child.stdin.end(input ?? "");
  const { code, signal } = await new Promise<Pick<Result, "code" | "signal">>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
  return { code, signal, stdout, stderr, events };
}

/** `qlora …args` in this process, to its end, one at a time. Not `chat`, which reads standard input. */
export async function qloraHere(
  args: readonly string[],
  { cwd, environment }: Pick<RunOptions, "cwd" | "environment"> = {},
): Promise<Result> {
  const [stdout, stderr] = [new Written(), new Written()];
  const words = onOneThread(args);
  const before = { cwd: process.cwd(), env: { ...process.env } };
  if (cwd !== undefined) process.chdir(cwd);
  Object.assign(process.env, environment);
  try {
    const code = await runProgram(await createProgram(words, { stdout, stderr }), words, stderr);
    const events = stdout.text.split("\n").flatMap((line) => parsed(line) ?? []);
    return { code, signal: null, stdout: stdout.text, stderr: stderr.text, events };
  } finally {
    process.chdir(before.cwd);
    for (const name of Object.keys(environment ?? {})) delete process.env[name];
    Object.assign(process.env, before.env);
  }
}

/** What was written, as one text. */
class Written {
  text = "";
  write(text: string): void {
    this.text += text;
  }
}

/** The events of one name. */
export const named = ({ events }: Pick<Result, "events">, name: string): Event[] => events.filter(({ event }) => event === name);

/** The lines of a run's metrics.jsonl. */
export const metricsOf = (run: string): Event[] =>
  readFileSync(join(run, "metrics.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Event);

/** The bytes of a run's trained matrices. */
export const adapterBytes = (run: string): Buffer => readFileSync(join(run, "adapter", "adapter_model.safetensors"));

function parsed(line: string): Event | undefined {
  if (!line.startsWith("{")) return undefined;
  return JSON.parse(line) as Event;
}
