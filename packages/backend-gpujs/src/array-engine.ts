// Programs on the processor: gpu.js writes JavaScript ("cpu") or WebAssembly ("webasm") from them, and numbers are Float32Arrays. Runs are done when `run` returns.
import { GPU, Input } from "gpu.js";
import { CompiledPrograms } from "./compiled-programs.ts";
import type { Argument, BytesInUse, Engine, Numbers, Size, Threads } from "./engine.ts";
import { LiveNumbers } from "./live-numbers.ts";
import type { Program } from "./program.ts";

type Nested = Float32Array | Float32Array[] | Float32Array[][];

/** How a mode is handed numbers. */
type Seen = (values: Float32Array, size: Size) => Nested | Input;

/** As arrays in arrays of one memory: JavaScript made from a program indexes them as the program does. */
const nested: Seen = (values, [columns, rows, matrices]) => {
  if (rows === undefined) return values;
  const row = (i: number): Float32Array => values.subarray(i * columns, (i + 1) * columns);
  const matrix = (i: number): Float32Array[] => Array.from({ length: rows }, (_, j) => row(i * rows + j));
  return matrices === undefined ? matrix(0) : Array.from({ length: matrices }, (_, i) => matrix(i));
};

/** As one array under a size. The size may say more than there is: the last row of a matrix need not be full. */
const flatInput: Seen = (values, size) => {
  const input = new Input(values as never, [values.length]);
  input.size = size.map((n) => n ?? 1);
  return input;
};

/** Values, and how kernels have seen them so far: they never change. */
class ArrayNumbers implements Numbers {
  readonly #seen = new Map<string, Nested | Input>();

  constructor(readonly values: Float32Array) {}

  get length(): number {
    return this.values.length;
  }

  as(size: Size, how: Seen): Nested | Input {
    const name = size.join();
    let seen = this.#seen.get(name);
    if (!seen) {
      seen = how(this.length === 0 ? NOTHING : this.values, this.length === 0 ? (size.map(() => 1) as unknown as Size) : size);
      this.#seen.set(name, seen);
    }
    return seen;
  }
}

const valuesOf = (numbers: Numbers): Float32Array => (numbers as ArrayNumbers).values;
/** What stands for an empty list, which a kernel is given and does not read. */
const NOTHING = new Float32Array(1);

/** gpu.js gives rows as arrays in arrays. */
function flat(result: Float32Array | Float32Array[][], columns: number): Float32Array {
  if (result instanceof Float32Array) return result;
  const values = new Float32Array(columns * result.length);
  result.forEach(([row], i) => {
    values.set(row!, i * columns);
  });
  return values;
}

export class ArrayEngine implements Engine {
  readonly device: string;
  readonly mostNumbers = 2 ** 30;
  readonly #programs: CompiledPrograms;
  readonly #seen: Seen;
  readonly #live = new LiveNumbers();

  constructor(mode: "cpu" | "webasm") {
    const [how, type] = mode === "cpu" ? ([nested, "Array"] as const) : ([flatInput, "Input"] as const);
    this.device = mode === "cpu" ? "JavaScript, one thread" : "WebAssembly, one thread";
    this.#seen = how;
    this.#programs = new CompiledPrograms(new GPU({ mode }), { numbers: type, lists: type });
  }

  get live(): number {
    return this.#live.count;
  }

  get bytes(): BytesInUse {
    return this.#live.bytes;
  }

  /** Arrays are not lost. */
  begin(): void {}

  run(program: Program, threads: Threads, args: readonly Argument[]): Numbers {
    const [columns, rows = 1] = threads;
    if (columns * rows === 0) return this.#own(new Float32Array(0));
    const kernel = this.#programs.kernel(program, threads, args);
    return this.#own(flat(kernel(...args.map((arg) => this.#argument(arg))) as unknown as Float32Array | Float32Array[][], columns));
  }

  upload(values: Float32Array): Numbers {
    return this.#own(values);
  }

  download(numbers: Numbers): Float32Array {
    return valuesOf(numbers);
  }

  async read(numbers: Numbers): Promise<Float32Array> {
    return valuesOf(numbers);
  }

  free(numbers: Numbers): void {
    this.#live.remove(numbers);
  }

  async flush(): Promise<void> {}

  resetPeak(): void {
    this.#live.resetPeak();
  }

  dispose(): void {
    for (const numbers of this.#live) this.free(numbers);
    void this.#programs.gpu.destroy();
  }

  #own(values: Float32Array): Numbers {
    const numbers = new ArrayNumbers(values);
    this.#live.add(numbers, values.byteLength);
    return numbers;
  }

  #argument(arg: Argument): number | Nested | Input {
    if (typeof arg === "number") return arg;
    if (arg instanceof Float32Array) return this.#seen(arg, [arg.length]);
    if ("whole" in arg) return arg.whole;
    return (arg.numbers as ArrayNumbers).as(arg.size, this.#seen);
  }
}
