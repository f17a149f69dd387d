// Runs the program once and turns however it ends into an exit code and, if it failed, one plain sentence.
import type { Command } from "commander";
import { exitCodeOf, sentenceOf } from "./failure.ts";
import type { OutputStream } from "./output.ts";

/** Parses and runs. Resolves to the exit code. @param stderr where the sentence goes */
export async function runProgram(program: Command, args: readonly string[], stderr: OutputStream = process.stderr): Promise<number> {
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    await program.parseAsync([...args], { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const sentence = sentenceOf(error);
    if (sentence !== undefined) stderr.write(`${sentence}\n`);
    if (process.env.QLORA_DEBUG) console.error(error);
    return exitCodeOf(error);
  }
}
