#!/usr/bin/env node
// The `qlora` command: a process around the program.
import { createProgram } from "./program.ts";
import { runProgram } from "./run-program.ts";

process.exitCode = await runProgram(createProgram(), process.argv.slice(2));
