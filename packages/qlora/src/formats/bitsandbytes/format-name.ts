// Formats compared and named, as far as files and options know them.
import type { QFormat } from "@qlora-js/core";

type Named = Pick<QFormat, "name" | "blockSize" | "doubleQuant">;

export const sameFormat = (a: Named, b: Named): boolean =>
  a.name === b.name && a.blockSize === b.blockSize && a.doubleQuant === b.doubleQuant;

/** `NF4 + double quantization, blocks of 128`; 64 is not said. */
export const formatName = ({ name, blockSize, doubleQuant }: Named): string =>
  `${name.toUpperCase()}${doubleQuant ? " + double quantization" : ""}${blockSize === 64 ? "" : `, blocks of ${blockSize}`}`;
