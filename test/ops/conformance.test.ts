// Every op and update on every backend: values, gradients, refusals, leaks; and threads that change no bit.
import { testConformance } from "../conformance.ts";
import { CASES } from "./index.ts";

for (const [name, table] of Object.entries(CASES)) testConformance(name, table);
