// Errors that only this backend knows. A device that is lost is core's DeviceLostError, because trainers go on from it.

/** A kernel's WGSL that the device's compiler refused. */
export class ShaderError extends Error {
  override readonly name = "ShaderError";
  constructor(
    readonly kernel: string,
    /** The program's constants. */
    readonly constants: Readonly<Record<string, unknown>>,
    /** From 1, in the whole text; 0 where the compiler does not say. */
    readonly line: number,
    message: string,
    readonly source: string,
  ) {
    const at = line > 0 ? ` line ${line}: ${source.split("\n")[line - 1]?.trim()}` : "";
    super(`webgpu: the kernel ${kernel} ${JSON.stringify(constants)} did not compile.${at}\n${message}`);
  }
}
