// Runs the program once and turns however it ends into an exit code and, if it failed, one plain sentence.
import type { Command } from "commander";
import { exitCodeOf, sentenceOf } from "./failure.ts";

/** Parses and runs. Resolves to the exit code. */
export async function runProgram(program: Command, args: readonly string[]): Promise<number> {
  for (const command of [program, ...program.commands]) command.exitOverride();
  // A reader that went away (`qlora … | head`) is no failure to tell anyone about.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const sentence = sentenceOf(error);
    if (sentence !== undefined) process.stderr.write(`${sentence}\n`);
    if (process.env.QLORA_DEBUG) console.error(error);
    return exitCodeOf(error);
  }
}
