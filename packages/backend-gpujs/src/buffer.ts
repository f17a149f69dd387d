// A buffer is bytes on the host until a kernel wants its values; then it is numbers on the device, until somebody writes or reads bytes. Which values the
// bytes stand for is not known before the kernel says it.
import type { DeviceBuffer, DType } from "@qlora-js/core";
import { BYTES } from "@qlora-js/core";
import { bytesOf, numbersOf } from "./bytes.ts";
import type { Engine, Numbers } from "./engine.ts";

export class GpuJsBuffer implements DeviceBuffer {
  #bytes: Uint8Array<ArrayBuffer> | null = null;
  #numbers: { readonly values: Numbers; readonly dtype: DType } | null = null;

  constructor(
    readonly byteLength: number,
    readonly engine: Engine,
  ) {}

  /** Its values on the device; the buffer goes on owning them. */
  numbers(dtype: DType): Numbers {
    if (this.#numbers?.dtype === dtype) return this.#numbers.values;
    const values = this.engine.upload(numbersOf(this.#ownBytes(), dtype));
    this.#bytes = null;
    this.#numbers = { values, dtype };
    return values;
  }

  /** Takes numbers as its new values: what was there is freed, also in an update in place. There may be more of them than the buffer holds. */
  take(values: Numbers, dtype: DType): void {
    this.drop();
    this.#numbers = { values, dtype };
  }

  write(bytes: Uint8Array, offset: number): void {
    const whole = offset === 0 && bytes.byteLength === this.byteLength;
    const own = whole ? new Uint8Array(this.byteLength) : this.#ownBytes();
    if (whole) this.drop();
    own.set(bytes, offset);
    this.#bytes = own;
  }

  async read(offset: number, byteLength: number): Promise<Uint8Array> {
    if (this.#numbers) {
      const { values, dtype } = this.#numbers;
      const read = await this.engine.read(values);
      return bytesOf(read.subarray(0, this.byteLength / BYTES[dtype]), dtype).slice(offset, offset + byteLength);
    }
    return this.#bytes?.slice(offset, offset + byteLength) ?? new Uint8Array(byteLength);
  }

  drop(): void {
    if (this.#numbers) this.engine.free(this.#numbers.values);
    this.#numbers = null;
    this.#bytes = null;
  }

  /** Its bytes on the host, and there alone. */
  #ownBytes(): Uint8Array<ArrayBuffer> {
    if (this.#numbers) {
      const { values, dtype } = this.#numbers;
      const bytes = bytesOf(this.engine.download(values).subarray(0, this.byteLength / BYTES[dtype]), dtype);
      this.drop();
      this.#bytes = bytes;
    }
    this.#bytes ??= new Uint8Array(this.byteLength);
    return this.#bytes;
  }
}
