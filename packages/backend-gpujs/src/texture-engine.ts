// Programs as GLSL in WebGL2: numbers are textures of one f32 a texel, and stay there between kernels. WebGL is called directly in one place, to read; all the
// rest is gpu.js's.
import { DeviceLostError, UnsupportedError } from "@qlora-js/core";
import { GPU, type IKernelRunShortcut, Input, Texture } from "gpu.js";
import { CompiledPrograms } from "./compiled-programs.ts";
import type { Argument, BytesInUse, Engine, Numbers, Sized, Threads } from "./engine.ts";
import { LiveNumbers } from "./live-numbers.ts";
import { type List, type Program, program, type Thread } from "./program.ts";

/** What gpu.js's textures have beyond their declared type. */
interface FloatTexture extends Texture {
  readonly texture: WebGLTexture;
  /** Texels of a row, and rows. */
  readonly size: readonly [number, number];
  /** How a kernel that is given the texture sees it. */
  readonly dimensions: Int32Array;
}

class TextureNumbers implements Numbers {
  constructor(
    readonly texture: FloatTexture,
    readonly length: number,
  ) {}
}

const textureOf = (numbers: Numbers): FloatTexture => (numbers as TextureNumbers).texture;

// y[i] = x[i], from what the host sends to a texture
const uploadProgram = program(function (this: Thread, x: List) {
  return x[this.thread.x]!;
});

/** What gpu.js resizes with each kernel; nothing is ever drawn on it. */
const NO_CANVAS = { width: 1, height: 1 };

class TextureEngine implements Engine {
  readonly device: string;
  readonly mostNumbers: number;
  readonly #gl: WebGL2RenderingContext;
  readonly #programs: CompiledPrograms;
  readonly #framebuffer: WebGLFramebuffer;
  readonly #live = new LiveNumbers();
  /** Names of ops since somebody last waited. */
  #running: string[] = [];
  #disposed = false;

  constructor(gl: WebGL2RenderingContext) {
    this.#gl = gl;
    const named = gl.getExtension("WEBGL_debug_renderer_info"); // without it browsers say no more than whose they are
    const renderer = String(gl.getParameter(named?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER));
    this.device = /^ANGLE \([^,]*, (.*), [^,]*\)$/.exec(renderer)?.[1] ?? renderer; // what Chromium calls "ANGLE (maker, device, driver)"
    this.#programs = new CompiledPrograms(new GPU({ context: gl, canvas: { ...NO_CANVAS } }), {
      numbers: "ArrayTexture(1)",
      lists: "Input",
    });
    this.#framebuffer = gl.createFramebuffer()!;
    this.mostNumbers = Math.min((gl.getParameter(gl.MAX_TEXTURE_SIZE) as number) ** 2, 2 ** 30);
  }

  get live(): number {
    return this.#live.count;
  }

  get bytes(): BytesInUse {
    return this.#live.bytes;
  }

  begin(op: string): void {
    this.#running.push(op);
  }

  run(program: Program, threads: Threads, args: readonly Argument[]): Numbers {
    this.#check();
    const [columns, rows = 1] = threads;
    if (columns * rows === 0) return this.#run(uploadProgram, [1], [new Float32Array(1)], 0);
    return this.#run(program, threads, args, columns * rows);
  }

  upload(values: Float32Array): Numbers {
    this.#check();
    return this.#run(uploadProgram, [Math.max(values.length, 1)], [values.length === 0 ? new Float32Array(1) : values], values.length);
  }

  /** Through a framebuffer, four floats a texel of which the first counts: the one format that every device reads. */
  download(numbers: Numbers): Float32Array {
    this.#check();
    const gl = this.#gl;
    const { texture, size } = textureOf(numbers);
    const [width, height] = size;
    const texels = new Float32Array(width * height * 4);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#framebuffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.FLOAT, texels);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, null, 0);
    this.#check(); // or these are no numbers
    return Float32Array.from({ length: numbers.length }, (_, i) => texels[4 * i]!);
  }

  async read(numbers: Numbers): Promise<Float32Array> {
    await this.flush();
    return this.download(numbers);
  }

  free(numbers: Numbers): void {
    if (this.#live.remove(numbers)) textureOf(numbers).delete();
  }

  /** Polls, because WebGL has no promises. */
  async flush(): Promise<void> {
    const gl = this.#gl;
    this.#check();
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    while (fence && !gl.isContextLost() && gl.clientWaitSync(fence, 0, 0) === gl.TIMEOUT_EXPIRED)
      await new Promise((done) => setTimeout(done, 0));
    gl.deleteSync(fence);
    this.#check();
    this.#running = [];
  }

  resetPeak(): void {
    this.#live.resetPeak();
  }

  dispose(): void {
    this.#disposed = true;
    for (const numbers of this.#live) this.free(numbers);
    this.#gl.deleteFramebuffer(this.#framebuffer);
    void this.#programs.gpu.destroy();
    this.#gl.getExtension("WEBGL_lose_context")?.loseContext(); // a page may have few contexts, and this one is not collected soon
  }

  #run(program: Program, threads: Threads, args: readonly Argument[], length: number): Numbers {
    const numbers = new TextureNumbers(this.#draw(program, threads, args), length);
    const [width, height] = numbers.texture.size;
    this.#live.add(numbers, width * height * Float32Array.BYTES_PER_ELEMENT);
    return numbers;
  }

  #draw(program: Program, threads: Threads, args: readonly Argument[]): FloatTexture {
    try {
      const kernel = this.#programs.kernel(program, threads, args);
      const texture = kernel(...args.map(argumentOf)) as unknown as FloatTexture;
      release(kernel);
      return texture;
    } catch (error) {
      this.#check(); // what gpu.js says of a lost context is that its shaders do not compile
      throw error;
    }
  }

  /** @throws DeviceLostError if the browser took the context away */
  #check(): void {
    if (this.#gl.isContextLost() && !this.#disposed) throw new DeviceLostError("gpujs", "the WebGL2 context was lost", this.#running);
  }
}

/** A kernel keeps its last output, to write into it again. Here each output has one owner, and it is not the kernel. */
function release({ kernel }: IKernelRunShortcut): void {
  kernel.texture.delete();
  (kernel as { texture: Texture | null }).texture = null; // the next setOutput makes another
}

function argumentOf(arg: Argument): number | Input | Texture {
  if (typeof arg === "number") return arg;
  if (arg instanceof Float32Array) return new Input(arg as never, [arg.length]);
  return "whole" in arg ? arg.whole : seen(arg);
}

/** A texture as a kernel is to see it: the same texels under another size. To gpu.js all are of one class, or it would compile a kernel for each. */
function seen({ numbers, size: [columns, rows = 1, matrices = 1] }: Sized): Texture {
  const dimensions = new Int32Array([columns, rows, matrices]);
  return Object.create(textureOf(numbers), { dimensions: { value: dimensions }, constructor: { value: Texture } }) as Texture;
}

/** @throws UnsupportedError */
export function openTextureEngine(): Engine {
  const gl = typeof OffscreenCanvas === "undefined" ? null : new OffscreenCanvas(1, 1).getContext("webgl2");
  if (!gl) throw new UnsupportedError('gpujs: there is no WebGL2 here. Use createGpuJsBackend({ mode: "cpu" }), or another backend.');
  if (!gl.getExtension("EXT_color_buffer_float"))
    throw new UnsupportedError("gpujs: WebGL2 renders no f32 textures here (EXT_color_buffer_float is missing). Use another backend.");
  return new TextureEngine(gl);
}
