// The 4-bit weights of bitsandbytes among a file's tensors: each is a `weight` of bytes with `weight.absmax`, `weight.quant_map`, `weight.quant_state…` and,
// under double quantization, `weight.nested_absmax` and `weight.nested_quant_map` beside it. Here the six become one tensor, which reads as the weight that it
// stands for and carries the packed bytes for who can use them as they are. Everything is checked; of the data only states and code books are read.
import { dynamicMap, FormatError, fp4, nf4, type QFormat, show } from "@qlora-js/core";
import { quoted } from "../quoted.ts";
import type { StoredTensor } from "../safetensors.ts";
import { dequantizedTensor } from "./dequantized-tensor.ts";
import { PART_NAME } from "./packed-part-name.ts";
import type { PackedWeight } from "./packed-weight.ts";
import { MAX_STATE_BYTES, parseQuantState, type QuantState } from "./quant-state.ts";

type Tensors = ReadonlyMap<string, StoredTensor>;

const STATE = /^(.+)\.quant_state\.bitsandbytes__(nf4|fp4)$/;
/** Scales that share one scale of their own. */
const NESTED_BLOCK = 256;
/** The 256 levels come from torch.linspace, whose last bit differs between processors; a scale is then off by less than this part of itself. */
const NESTED_MAP_TOLERANCE = 1e-6;

/**
 * The same tensors, with the parts of each 4-bit weight put together under the weight's name; the same map where there are none.
 * @throws FormatError if a part is missing, is not what the others say, or is not as bitsandbytes writes it
 */
export async function withPackedWeights(tensors: Tensors): Promise<Tensors> {
  const parts = [...tensors.keys()].map((name) => PART_NAME.exec(name)).filter((match) => match !== null);
  if (parts.length === 0) return tensors;
  const packed = new Map(tensors);
  const states = new Map<string, QuantState["type"]>();
  for (const [name, base, kind] of parts as unknown as [string, string, string][]) {
    packed.delete(name);
    const type = STATE.exec(name)?.[2] as QuantState["type"] | undefined;
    if (kind.startsWith("quant_state") && (!type || states.has(base))) throw strangeState(tensors.get(name)!, name, type);
    if (type) states.set(base, type);
  }
  const orphan = parts.find(([, base]) => !states.has(base!));
  if (orphan) {
    const what = `holds the tensor ${quoted(orphan[0])}, but no ${quoted(`${orphan[1]}.quant_state.bitsandbytes__nf4`)} (or __fp4) to say how to read it.`;
    throw new FormatError(tensors.get(orphan[0])!.file, `${what} Save the model again with save_pretrained.`);
  }
  for (const [base, type] of states) packed.set(base, dequantizedTensor(await packedWeight(tensors, base, type)));
  return packed;
}

function strangeState({ file }: StoredTensor, name: string, type: string | undefined): FormatError {
  const what = type
    ? "is a second state of the same weight."
    : "is not of a type that is read: bitsandbytes__nf4 and bitsandbytes__fp4 are.";
  return new FormatError(file, `tensor ${quoted(name)} ${what}`);
}

async function packedWeight(tensors: Tensors, base: string, type: QuantState["type"]): Promise<PackedWeight> {
  const stateName = `${base}.quant_state.bitsandbytes__${type}`;
  const part = (ending: string): StoredTensor => partOf(tensors, base, ending, stateName);
  const state = await readState(part(`.quant_state.bitsandbytes__${type}`), stateName, type);
  const format = { nf4, fp4 }[type]({ blockSize: state.blockSize, doubleQuant: state.offset !== null });
  const count = state.shape[0] * state.shape[1];
  const blocks = Math.ceil(count / state.blockSize);
  const codes = part("");
  const wanted = Math.ceil(count / 2);
  if (codes.byteLength !== wanted)
    throw new FormatError(
      codes.file,
      `tensor ${quoted(base)} has ${codes.byteLength} bytes, but its quant_state says ${show(state.shape)}, which takes ${wanted}.`,
    );
  await checkCodeBook(part(".quant_map"), `${base}.quant_map`, format);
  const absmax = part(".absmax");
  checkNumbers(absmax, `${base}.absmax`, state.offset === null ? "F32" : "U8", blocks);
  if (state.offset === null) {
    if (tensors.has(`${base}.nested_absmax`)) throw disagree(absmax.file, base);
    return { format, shape: state.shape, dtype: state.dtype, codes, absmax, nested: null };
  }
  const nestedAbsmax = part(".nested_absmax");
  checkNumbers(nestedAbsmax, `${base}.nested_absmax`, "F32", Math.ceil(blocks / NESTED_BLOCK));
  const levels = part(".nested_quant_map");
  await checkNestedMap(levels, `${base}.nested_quant_map`);
  const nested = { absmax: nestedAbsmax, levels, offset: state.offset };
  return { format, shape: state.shape, dtype: state.dtype, codes, absmax, nested };
}

const disagree = (file: string, base: string): FormatError =>
  new FormatError(
    file,
    `holds the tensor ${quoted(`${base}.nested_absmax`)}, but the quant_state of ${quoted(base)} has no nested_offset.`,
  );

function partOf(tensors: Tensors, base: string, ending: string, stateName: string): StoredTensor {
  const part = tensors.get(base + ending);
  if (part) return part;
  throw new FormatError(tensors.get(stateName)!.file, `lacks the tensor ${quoted(base + ending)}, which belongs to ${quoted(stateName)}.`);
}

async function readState(stored: StoredTensor, name: string, type: QuantState["type"]): Promise<QuantState> {
  const where = `${stored.file}, tensor ${quoted(name)}`;
  if (stored.byteLength > MAX_STATE_BYTES)
    throw new FormatError(where, `has ${stored.byteLength} bytes; a state has at most ${MAX_STATE_BYTES}.`);
  const state = parseQuantState(where, await stored.read());
  if (state.type !== type) throw new FormatError(where, `"quant_type" is ${quoted(state.type)}, which is not what the tensor's name says.`);
  return state;
}

function checkNumbers(stored: StoredTensor, name: string, dtype: "F32" | "U8", count: number): void {
  const held = stored.shape.reduce((n, d) => n * d, 1);
  if (stored.dtype === dtype && held === count) return;
  const what = `is ${show(stored.shape)} of ${stored.dtype}, not ${count} of ${dtype}, as its quant_state asks for.`;
  throw new FormatError(stored.file, `tensor ${quoted(name)} ${what}`);
}

/** A weight under another code book would be other numbers: kernels know ours only. */
async function checkCodeBook(stored: StoredTensor, name: string, { name: type, codeBook }: QFormat): Promise<void> {
  checkNumbers(stored, name, "F32", codeBook.length);
  const values = new Float32Array((await stored.read()).buffer);
  const other = values.findIndex((value, i) => value !== codeBook[i]);
  if (other < 0) return;
  const what = `is not the code book of ${type.toUpperCase()}: value ${other} is ${values[other]}, not ${codeBook[other]}. Weights under another code book are not read; give the 16-bit model.`;
  throw new FormatError(stored.file, `tensor ${quoted(name)} ${what}`);
}

async function checkNestedMap(stored: StoredTensor, name: string): Promise<void> {
  const map = dynamicMap("signed");
  checkNumbers(stored, name, "F32", map.length);
  const values = new Float32Array((await stored.read()).buffer);
  const other = values.findIndex((value, i) => !(Math.abs(value - map[i]!) <= NESTED_MAP_TOLERANCE * Math.abs(map[i]!)));
  if (other < 0) return;
  const what = `is not bitsandbytes' signed 8-bit map: value ${other} is ${values[other]}, not ${map[other]}. Scales under another map are not read; give the 16-bit model.`;
  throw new FormatError(stored.file, `tensor ${quoted(name)} ${what}`);
}
