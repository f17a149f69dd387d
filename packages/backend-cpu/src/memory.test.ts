import { DeviceError, OutOfMemoryError } from "@qlora-js/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Memory } from "./memory.ts";

const MIB = 2 ** 20;
const make = (maximumPages = 1024): Memory =>
  new Memory(new WebAssembly.Memory({ initial: 1, maximum: maximumPages, shared: true }), 1000, maximumPages * 65536);

/** true: allocate that many bytes; false: free the live buffer of that position, counted round. */
const actions = fc.array(fc.tuple(fc.boolean(), fc.oneof(fc.nat(5000), fc.nat(300_000), fc.constantFrom(64, 4096, 65536))), {
  maxLength: 200,
});

describe("the allocator", () => {
  it("never gives the same byte to two live buffers, and joins all that is free in the end", () => {
    fc.assert(
      fc.property(actions, (list) => {
        const memory = make();
        const live: { pointer: number; bytes: number }[] = [];
        for (const [allocate, n] of list) {
          if (allocate) {
            const pointer = memory.allocate(n);
            expect(pointer % 64).toBe(0);
            expect(pointer).toBeGreaterThanOrEqual(1000);
            expect(pointer + n).toBeLessThanOrEqual(memory.buffer.byteLength);
            for (const other of live)
              expect(pointer + Math.max(n, 1) <= other.pointer || other.pointer + Math.max(other.bytes, 1) <= pointer).toBe(true);
            live.push({ pointer, bytes: n });
          } else if (live.length > 0) memory.free(live.splice(n % live.length, 1)[0]!.pointer);
        }
        expect(memory.liveBuffers).toBe(live.length);
        for (const { pointer } of live) memory.free(pointer);
        expect(memory.liveBytes).toBe(0);
        expect(memory.freeRegions).toBeLessThanOrEqual(1);
        expect(memory.extentBytes).toBe(memory.base);
      }),
    );
  });

  it("does not grow over rounds of the same requests, freed in any order", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200_000), { minLength: 1, maxLength: 40 }), fc.infiniteStream(fc.nat()), (sizes, random) => {
        const memory = make(4096);
        const kept = memory.allocate(100_000);
        const round = () => {
          const pointers = sizes.map((n) => memory.allocate(n));
          while (pointers.length > 0) memory.free(pointers.splice(random.next().value % pointers.length, 1)[0]!);
        };
        round();
        const { byteLength } = memory.buffer;
        for (let i = 0; i < 10; i++) round();
        expect(memory.buffer.byteLength).toBe(byteLength);
        memory.free(kept);
      }),
      { numRuns: 30 },
    );
  });

  it("grows by what is missing, not by doubling", () => {
    const memory = make(65536);
    memory.allocate(40 * MIB);
    memory.allocate(100);
    expect(memory.buffer.byteLength).toBeLessThan(42 * MIB + 65536);
  });

  it("counts live bytes and their peak", () => {
    const memory = make();
    const a = memory.allocate(128);
    const b = memory.allocate(64);
    memory.free(a);
    expect([memory.liveBuffers, memory.liveBytes, memory.peakBytes]).toEqual([1, 64, 192]);
    memory.resetPeak();
    expect(memory.peakBytes).toBe(64);
    memory.free(b);
  });

  it("gives an empty buffer a place of its own", () => {
    const memory = make();
    expect(memory.allocate(0)).not.toBe(memory.allocate(0));
  });

  it("says what was asked and what is in use when there is no room, and goes on", () => {
    const memory = make(32);
    const first = memory.allocate(MIB);
    try {
      memory.allocate(5 * MIB);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(OutOfMemoryError);
      expect(error).toMatchObject({ backend: "cpu", requestedBytes: 5 * MIB, liveBytes: MIB });
      expect(String(error)).toContain(String(5 * MIB));
    }
    memory.free(first);
    expect(memory.allocate(MIB)).toBe(first);
  });

  it("refuses to free twice", () => {
    const memory = make();
    const pointer = memory.allocate(8);
    memory.free(pointer);
    expect(() => memory.free(pointer)).toThrow(DeviceError);
  });
});
