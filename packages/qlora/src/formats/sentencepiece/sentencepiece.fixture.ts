// SentencePiece models written for tests: the few fields we read, as Protocol Buffers.

const varint = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))]);
const field = (number: number, bytes: readonly number[]): number[] => [...varint(8 * number + 2), ...varint(bytes.length), ...bytes];
const utf8 = (text: string): number[] => [...new TextEncoder().encode(text)];
const float = (value: number): number[] => [...new Uint8Array(Float32Array.of(value).buffer)];

/** What a test says of a model. */
export interface ModelSketch {
  /** Text, score and type of each. */
  readonly pieces: readonly (readonly [text: string, score: number, type?: number])[];
  /** 1 is unigram, 2 is BPE. */
  readonly algorithm?: number;
  readonly charsmap?: readonly number[];
  readonly addDummyPrefix?: boolean;
}

/** The bytes of a model file. */
export function modelBytes({ pieces, algorithm = 2, charsmap = [], addDummyPrefix = true }: ModelSketch): Uint8Array {
  const written = pieces.flatMap(([text, score, type = 1]) => field(1, [...field(1, utf8(text)), 0x15, ...float(score), 0x18, type]));
  const noPad = [...varint(8 * 43), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]; // −1
  const trainer = field(2, [0x18, algorithm, ...varint(8 * 35), 1, ...noPad]);
  const normalizer = field(3, [...(charsmap.length > 0 ? field(2, charsmap) : []), 0x18, Number(addDummyPrefix), 0x20, 0]);
  return Uint8Array.from([...written, ...trainer, ...normalizer]);
}

/** Llama 2's order: unknown, begin, end, then pieces. */
export const SMALL_PIECES: ModelSketch["pieces"] = [
  ["<unk>", 0, 2],
  ["<s>", 0, 3],
  ["</s>", 0, 3],
  ["▁a", 0],
  ["bc", -1],
  ["▁abc", -2],
  ["▁", -3],
  ["a", -4],
  ["b", -5],
  ["c", -6],
];
