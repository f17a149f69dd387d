// Every message reads `where: what is wrong, with the values. What to do.`; tests match classes and fields, not text.
import type { DType } from "./dtype.ts";
import type { Shape } from "./shape.ts";

/** Shapes that do not fit an op. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
  constructor(
    readonly op: string,
    readonly shapes: readonly Shape[],
    what: string,
  ) {
    super(`${op}: ${what}`);
  }
}

/** Element types that do not fit an op. */
export class DTypeError extends Error {
  override readonly name = "DTypeError";
  constructor(
    readonly op: string,
    readonly dtypes: readonly DType[],
    what: string,
  ) {
    super(`${op}: ${what}`);
  }
}

/** An attribute of an op outside what it may be. */
export class ArgumentError extends Error {
  override readonly name = "ArgumentError";
  constructor(
    readonly op: string,
    readonly argument: string,
    readonly value: unknown,
    what: string,
  ) {
    super(`${op}: ${what}`);
  }
}

/** A gradient that cannot be had: no path from the loss, or an op without a rule. */
export class GradientError extends Error {
  override readonly name = "GradientError";
}

/** A tensor or backend used in a way that can only be a mistake: after disposal, or two backends in one op. */
export class DeviceError extends Error {
  override readonly name = "DeviceError";
}

/** The device went away: unplugged, reset by its driver, out of memory, or disposed while something ran. What it held is gone; a run goes on from its last save. */
export class DeviceLostError extends Error {
  override readonly name = "DeviceLostError";
  constructor(
    readonly backend: string,
    /** What the device's driver says. */
    readonly reason: string,
    /** Names of the kernels that were on their way, in order. */
    readonly running: readonly string[],
  ) {
    const last = running.length > 0 ? ` while ${running.length} kernels were on their way, the last of them ${running.at(-1)}` : "";
    super(`${backend}: the device was lost${last} (${reason}). Make a new backend and go on from the last saved step.`);
  }
}

/** The device has no room for a buffer. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
  constructor(
    readonly backend: string,
    readonly requestedBytes: number,
    readonly liveBytes: number,
    what: string,
  ) {
    super(`${backend}: ${what}`);
  }
}

/** Something this backend or library does not do: says what, and what to use. */
export class UnsupportedError extends Error {
  override readonly name = "UnsupportedError";
}

/** A file, or a part of one, that is not what its format says. */
export class FormatError extends Error {
  override readonly name = "FormatError";
  constructor(
    /** Path of the file, or a name for bytes that came from elsewhere. */
    readonly file: string,
    what: string,
    options?: ErrorOptions,
  ) {
    super(`${file}: ${what}`, options);
  }
}
