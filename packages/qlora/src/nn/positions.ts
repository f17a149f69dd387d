// Where the tokens of a pass stand: what attention, rotary and learned positions read. All of it is tensors, so that a checkpoint can hold it.
import { type Backend, type Tensor, tensor } from "@qlora-js/core";
import type { DecoderConfig } from "../config/decoder-config.ts";
import { ropeTables } from "./rope-tables.ts";

export interface RopeTable {
  /** f32 [T, size / 2] */
  readonly cos: Tensor;
  readonly sin: Tensor;
}

export interface Positions {
  /** One an entry of the config's `ropes`: angles of the pass's T positions. */
  readonly tables: readonly RopeTable[];
  /** i32 [B, T]: rows of the tables. */
  readonly rows: Tensor;
  /** i32 [B]: first position of each row that is not padding. */
  readonly starts: Tensor;
  /** Positions before these, in the cache. */
  readonly offset: number;
}

/** @param starts first position of each row that is not padding, 0 where left out */
export function makePositions(
  backend: Backend,
  config: DecoderConfig,
  [batch, time]: readonly [number, number],
  offset: number,
  starts: readonly number[],
): Positions {
  const first = Array.from({ length: batch }, (_, b) => starts[b] ?? 0);
  const rows = first.flatMap((start) => Array.from({ length: time }, (_, t) => Math.max(0, t - start)));
  const tables = config.ropes.map((rope) => {
    const { cos, sin } = ropeTables(rope, offset, time);
    const shape = [time, rope.size / 2];
    return { cos: tensor(backend, cos, shape), sin: tensor(backend, sin, shape) };
  });
  return { tables, rows: tensor(backend, rows, [batch, time], "i32"), starts: tensor(backend, first, [batch], "i32"), offset };
}

/** The tensors in a row, and the way back. */
export const positionTensors = ({ tables, rows, starts }: Positions): Tensor[] => [
  rows,
  starts,
  ...tables.flatMap(({ cos, sin }) => [cos, sin]),
];

/** Positions again from their tensors. */
export function positionsOf([rows, starts, ...tables]: readonly Tensor[], offset: number): Positions {
  const pairs = Array.from({ length: tables.length / 2 }, (_, i) => ({ cos: tables[2 * i]!, sin: tables[2 * i + 1]! }));
  return { tables: pairs, rows: rows!, starts: starts!, offset };
}
