// Compiled programs, one for each key. A program that is needed at once is compiled at once; those known before are compiled together, beside one another.
import type { Dispatch } from "./dispatch.ts";
import { ShaderError } from "./errors.ts";
import { programKey, programSource, windowsOf } from "./program-source.ts";

export interface Program {
  readonly name: string;
  readonly layout: GPUBindGroupLayout;
  readonly pipeline: GPUComputePipeline;
}

/** A program's text, before it is compiled. */
interface Draft {
  readonly key: string;
  readonly dispatch: Dispatch;
  readonly source: string;
}

export class Programs {
  readonly #compiled = new Map<string, Program>();
  readonly #drafts = new Map<string, Draft>();
  readonly #refused: Promise<Error | undefined>[] = [];

  constructor(
    readonly device: GPUDevice,
    readonly maxBindingBytes: number,
  ) {}

  get count(): number {
    return this.#compiled.size;
  }

  /** The program of a dispatch, compiled now if it was not. What the compiler says against it comes out of `check`. */
  of(dispatch: Dispatch): Program {
    const key = programKey(dispatch, this.maxBindingBytes);
    const known = this.#compiled.get(key);
    if (known) return known;
    const source = programSource(dispatch, this.maxBindingBytes);
    this.device.pushErrorScope("validation");
    const { module, layout, descriptor } = this.#describe({ key, dispatch, source });
    const program = { name: dispatch.name, layout, pipeline: this.device.createComputePipeline(descriptor) };
    const refused = this.device.popErrorScope().then(async (error) => {
      if (!error) return undefined;
      this.#compiled.delete(key); // so that its next use is refused for the same reason
      return explain(module, dispatch, source, error.message);
    });
    this.#refused.push(refused);
    this.#compiled.set(key, program);
    return program;
  }

  /** Notes the program of a dispatch, for `compile`. */
  note(dispatch: Dispatch): void {
    const key = programKey(dispatch, this.maxBindingBytes);
    if (this.#compiled.has(key) || this.#drafts.has(key)) return;
    this.#drafts.set(key, { key, dispatch, source: programSource(dispatch, this.maxBindingBytes) });
  }

  /** Compiles all that was noted, several at a time. @throws ShaderError */
  async compile(onProgress: (done: number, of: number) => void = () => {}): Promise<void> {
    const drafts = [...this.#drafts.values()];
    this.#drafts.clear();
    let done = 0;
    await Promise.all(
      drafts.map(async (draft) => {
        this.device.pushErrorScope("validation"); // the pipeline's refusal says it all
        const { module, layout, descriptor } = this.#describe(draft);
        await this.device.popErrorScope();
        try {
          const pipeline = await this.device.createComputePipelineAsync(descriptor);
          this.#compiled.set(draft.key, { name: draft.dispatch.name, layout, pipeline });
        } catch (error) {
          throw await explain(module, draft.dispatch, draft.source, error instanceof Error ? error.message : String(error));
        }
        onProgress(++done, drafts.length);
      }),
    );
  }

  /** @throws ShaderError of the first program that did not compile since the last call */
  async check(): Promise<void> {
    for (const refused of this.#refused.splice(0)) {
      const error = await refused;
      if (error) throw error;
    }
  }

  #describe({ dispatch, source }: Draft): {
    module: GPUShaderModule;
    layout: GPUBindGroupLayout;
    descriptor: GPUComputePipelineDescriptor;
  } {
    const module = this.device.createShaderModule({ code: source, label: dispatch.name });
    const layout = this.device.createBindGroupLayout({ entries: this.#bindings(dispatch) });
    const pipelineLayout = this.device.createPipelineLayout({ bindGroupLayouts: [layout] });
    return { module, layout, descriptor: { layout: pipelineLayout, compute: { module, entryPoint: "main" }, label: dispatch.name } };
  }

  #bindings({ reads, writes }: Dispatch): GPUBindGroupLayoutEntry[] {
    const windows = Object.values(reads).reduce((n, view) => n + windowsOf(view, this.maxBindingBytes), 0);
    const storage = (binding: number, type: GPUBufferBindingType): GPUBindGroupLayoutEntry => ({
      binding,
      visibility: 4,
      buffer: { type },
    });
    return [
      { binding: 0, visibility: 4, buffer: { type: "uniform", hasDynamicOffset: true } },
      ...Array.from({ length: windows }, (_, i) => storage(1 + i, "read-only-storage")),
      ...Object.keys(writes).map((_, i) => storage(1 + windows + i, "storage")),
    ];
  }
}

async function explain(module: GPUShaderModule, { name, constants = {} }: Dispatch, source: string, message: string): Promise<ShaderError> {
  const { messages } = await module.getCompilationInfo().catch(() => ({ messages: [] as GPUCompilationMessage[] })); // the device may be lost
  const first = messages.find(({ type }) => type === "error");
  return new ShaderError(name, constants, first?.lineNum ?? 0, first?.message ?? message, source);
}
