// What a kernel written in plain TypeScript sees of the device: the bytes of a view as the array its dtype says. No copies: writing to the array
// writes to the buffer. An array is good for one run of one kernel only (memory may grow between runs).
import type { View } from "@qlora-js/core";

export interface Host {
  f32(view: View): Float32Array;
  /** f16 and bf16, as their bits. */
  u16(view: View): Uint16Array;
  i32(view: View): Int32Array;
  u8(view: View): Uint8Array;
}
