// Programs become gpu.js kernels once each: sizes are arguments, so that a new shape compiles nothing. Argument types are those of the first call.
import type { GPU, IGPUKernelSettings, IKernelRunShortcut } from "gpu.js";
import type { Argument, Threads } from "./engine.ts";
import type { Program } from "./program.ts";

/** More than any loop here takes; gpu.js ends loops of unknown length after 1000 turns unless told. */
const LONGEST_LOOP = 2 ** 30;

export class CompiledPrograms {
  readonly #kernels = new Map<Program, IKernelRunShortcut>();

  /** @param types what gpu.js calls numbers that are on the device, and lists that the host sends along */
  constructor(
    readonly gpu: GPU,
    readonly types: { readonly numbers: "Array" | "Input" | "ArrayTexture(1)"; readonly lists: "Array" | "Input" },
  ) {}

  /** The kernel of a program, made when first asked for, for this many threads. */
  kernel(program: Program, [columns, rows]: Threads, args: readonly Argument[]): IKernelRunShortcut {
    const output = rows === undefined ? [columns] : [columns, 1, rows];
    const known = this.#kernels.get(program);
    if (known) return known.setOutput(output) as IKernelRunShortcut;
    const kernel = this.gpu
      .createKernel(textOf(program.main), { ...this.#settings(program, args), output })
      .setLoopMaxIterations(LONGEST_LOOP) as IKernelRunShortcut;
    this.#kernels.set(program, kernel);
    return kernel;
  }

  #settings({ parts }: Program, args: readonly Argument[]): IGPUKernelSettings {
    return {
      functions: parts.map(textOf) as never, // its types ask for functions; it takes their text as well
      argumentTypes: args.map((arg) => this.#typeOf(arg)) as never, // its types know only names to types; its code takes a list as well
      dynamicOutput: true,
      dynamicArguments: true,
      strictIntegers: true,
      precision: "single", // f32 textures, where the default packs floats into bytes
      tactic: "precision", // highp whatever the size: or it would compile once more for a larger texture
      pipeline: true,
      immutable: true,
    };
  }

  #typeOf(arg: Argument): string {
    if (typeof arg === "number") return "Float";
    if (arg instanceof Float32Array) return this.types.lists;
    return "whole" in arg ? "Integer" : this.types.numbers;
  }
}

/** A function's text. Bundlers number functions of one name with a $, which GLSL does not know. */
const textOf = (f: (...args: never[]) => number): string => f.toString().replaceAll("$", "_");
