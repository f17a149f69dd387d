import { ArgumentError } from "@qlora-js/core";

/** @throws ArgumentError unless `length` bytes from `offset` lie within a tensor of so many */
export function checkTensorRange(byteLength: number, offset: number, length: number): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (whole && offset <= byteLength - length) return;
  throw new ArgumentError("read", "offset", [offset, length], `bytes ${offset} to ${offset + length} of a tensor of ${byteLength}.`);
}
