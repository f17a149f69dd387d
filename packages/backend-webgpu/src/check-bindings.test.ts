// Dispatches that are listed, and never run.
import { UnsupportedError, type View } from "@qlora-js/core";
import { describe, expect, test } from "vitest";
import { checkBindings } from "./check-bindings.ts";
import type { Dispatch } from "./dispatch.ts";

const LIMITS = { maxBindingBytes: 1024, maxWrittenBytes: 4096, maxStorageBuffers: 8 };
const ofBytes = (byteLength: number): View => ({ dtype: "f32", shape: [byteLength / 4], buffer: { byteLength } });
const dispatch = (reads: readonly number[], written: number): Dispatch => ({
  name: "stretch",
  reads: Object.fromEntries(reads.map((bytes, i) => [`x${i}`, ofBytes(bytes)])),
  writes: { y: ofBytes(written) },
  grid: { threads: 1 },
  wgsl: () => "",
});
const refusal = (asked: Dispatch): string => {
  try {
    checkBindings(asked, LIMITS);
  } catch (error) {
    expect(error).toBeInstanceOf(UnsupportedError);
    return String(error);
  }
  return "none";
};

describe("a kernel whose tensors cannot be bound", () => {
  test("is let through at the limits", () => expect(refusal(dispatch([1024 * 6, 4], 4096))).toBe("none"));

  test("is refused if it writes more than one binding shows, with both sizes and what to do", () =>
    expect(refusal(dispatch([4], 4100))).toMatch(/stretch writes a tensor \[1025\] of 4100 bytes.* at most 4096 .*CPU/));

  test("is refused if it reads through more bindings than there are, with the tensor that takes most of them", () =>
    expect(refusal(dispatch([4, 1024 * 6 + 4], 4096))).toMatch(/stretch reads a tensor \[1537\] of 6148 bytes .* 9 bindings, of 8 .*CPU/));
});
