#!/usr/bin/env node
// The `qlora` command: a process around the program.
import { setFlagsFromString } from "node:v8";
import { createProgram } from "./program.ts";
import { runProgram } from "./run-program.ts";

const words = process.argv.slice(2);

// What an op leaves behind is small and dies young. V8 would give it 32 MB to die in, and let old garbage pile up for as long as there is room; one
// megabyte does as well, and some 80 MB of the process stay free for the model. (Flags on a command's first line are not understood everywhere.)
// A plan holds no weights, only what it counts, which is quicker with room.
if (words[0] !== "plan") for (const flag of ["--semi-space-growth-factor=1", "--optimize-for-size"]) setFlagsFromString(flag);

// A reader that went away (`qlora … | head`) is no failure to tell anyone about.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await runProgram(await createProgram(words), words);
