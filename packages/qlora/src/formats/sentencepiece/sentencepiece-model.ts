// A SentencePiece model file (tokenizer.model, spiece.model): its pieces, and how it was trained and normalizes. What it becomes is decided elsewhere.
// Source of the numbers of fields: sentencepiece's sentencepiece_model.proto.
import { FormatError } from "@qlora-js/core";
import { protobufFields } from "./protobuf.ts";

/** What a piece is for. */
export const PIECE_TYPE = { NORMAL: 1, UNKNOWN: 2, CONTROL: 3, USER_DEFINED: 4, UNUSED: 5, BYTE: 6 } as const;

/** A token of the model; its id is its place. */
export interface Piece {
  readonly text: string;
  readonly score: number;
  /** One of `PIECE_TYPE`. */
  readonly type: number;
}

/** A model, read. */
export interface SentencePieceModel {
  readonly pieces: readonly Piece[];
  readonly algorithm: "unigram" | "bpe" | "other";
  readonly byteFallback: boolean;
  /** Ids of the tokens with a job; below 0 where there is none. */
  readonly special: { readonly unk: number; readonly bos: number; readonly eos: number; readonly pad: number };
  /** The compiled map of characters; empty where characters stay as they are. */
  readonly charsmap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
}

/**
 * @throws FormatError if the bytes are no SentencePiece model
 */
export function readSentencePieceModel(file: string, bytes: Uint8Array): SentencePieceModel {
  const pieces: Piece[] = [];
  let trainer: Uint8Array = new Uint8Array();
  let normalizer: Uint8Array = new Uint8Array();
  for (const { number, bytes: message } of protobufFields(file, bytes)) {
    if (!message) continue;
    if (number === 1) pieces.push(readPiece(file, message, pieces.length));
    if (number === 2) trainer = message;
    if (number === 3) normalizer = message;
  }
  if (pieces.length === 0) throw new FormatError(file, "has no pieces; it is no SentencePiece model.");
  return { pieces, ...readTrainer(file, trainer), ...readNormalizer(file, normalizer) };
}

function readPiece(file: string, message: Uint8Array, id: number): Piece {
  let text: string | undefined;
  let score = 0;
  let type: number = PIECE_TYPE.NORMAL;
  for (const field of protobufFields(file, message)) {
    if (field.number === 1 && field.bytes) text = utf8(file, field.bytes, id);
    if (field.number === 2) score = field.float ?? score;
    if (field.number === 3) type = field.varint ?? type;
  }
  if (text === undefined || text === "") throw new FormatError(file, `piece ${id} has no text.`);
  return { text, score, type };
}

function utf8(file: string, bytes: Uint8Array, id: number): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(file, `piece ${id} is not UTF-8 text.`, { cause });
  }
}

function readTrainer(file: string, message: Uint8Array): Pick<SentencePieceModel, "algorithm" | "byteFallback" | "special"> {
  const varints = varintsOf(file, message);
  const model = varints.get(3) ?? 1;
  // Ids are 32-bit numbers with a sign: −1 is written as the 64-bit number 2^64 − 1.
  const id = (field: number, missing: number): number => {
    const value = varints.get(field) ?? missing;
    return value > 0x7fff_ffff ? -1 : value;
  };
  return {
    algorithm: model === 1 ? "unigram" : model === 2 ? "bpe" : "other",
    byteFallback: varints.get(35) === 1,
    special: { unk: id(40, 0), bos: id(41, 1), eos: id(42, 2), pad: id(43, -1) },
  };
}

function readNormalizer(
  file: string,
  message: Uint8Array,
): Pick<SentencePieceModel, "charsmap" | "addDummyPrefix" | "removeExtraWhitespaces"> {
  const varints = varintsOf(file, message);
  let charsmap: Uint8Array = new Uint8Array();
  for (const { number, bytes } of protobufFields(file, message)) if (number === 2 && bytes) charsmap = bytes;
  return { charsmap, addDummyPrefix: varints.get(3) !== 0, removeExtraWhitespaces: varints.get(4) !== 0 };
}

function varintsOf(file: string, message: Uint8Array): ReadonlyMap<number, number> {
  const varints = new Map<number, number>();
  for (const { number, varint } of protobufFields(file, message)) if (varint !== undefined) varints.set(number, varint);
  return varints;
}
