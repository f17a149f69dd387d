// Every family that can be trained. This is the one list; a new family is a file beside this one, and a line here.
import type { Family } from "./family.ts";
import { llama } from "./llama.ts";

export const FAMILIES: readonly Family[] = [llama];
