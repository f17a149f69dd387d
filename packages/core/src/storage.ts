// Who owns bytes: a counted device buffer, the only caller of alloc and free. Each tensor on it is one owner, and so is the tape while it needs a value.
import type { Backend, DeviceBuffer } from "./backend.ts";
import { DeviceError } from "./error.ts";

export class Storage {
  #owners = 1;
  readonly #buffer: DeviceBuffer | null;

  /**
   * @param withBuffer false for a value that is known to be read by nobody: it has a size and no bytes.
   * @throws OutOfMemoryError
   */
  constructor(
    readonly backend: Backend,
    readonly byteLength: number,
    withBuffer = true,
  ) {
    this.#buffer = withBuffer ? backend.alloc(byteLength) : null;
  }

  /** @throws DeviceError after the last owner let go */
  get buffer(): DeviceBuffer {
    if (this.#owners === 0)
      throw new DeviceError("A tensor was used after it was disposed. Return it from its scope, or keep a handle with retain().");
    if (!this.#buffer)
      throw new DeviceError("A value that a checkpoint did not compute again was read. A rule's `saves` must name what it reads.");
    return this.#buffer;
  }

  get freed(): boolean {
    return this.#owners === 0;
  }

  retain(): this {
    if (this.#owners === 0)
      throw new DeviceError("A tensor was kept after it was disposed. Return it from its scope, or keep a handle with retain() before.");
    this.#owners++;
    return this;
  }

  release(): void {
    if (this.#owners > 0 && --this.#owners === 0 && this.#buffer) this.backend.free(this.#buffer);
  }
}
