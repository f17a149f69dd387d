#!/usr/bin/env node
// The `qlora` command: a process around the program.
import { setFlagsFromString } from "node:v8";
import { createProgram } from "./program.ts";
import { runProgram } from "./run-program.ts";

// What an op leaves behind is small and dies young. V8 would answer with 32 MB for it to die in; the first megabyte does as well, and some 50 MB of the
// process stay free for the model. (The flag that says so at the start, --max-semi-space-size, cannot be given by a command's first line everywhere.)
setFlagsFromString("--semi-space-growth-factor=1");

process.exitCode = await runProgram(createProgram(), process.argv.slice(2));
