// Codes, scales and values of every format, bit for bit those of core's plain arithmetic (whose own tests compare it with bitsandbytes).
import {
  type Backend,
  DTypeError,
  dequantize,
  dequantizeBlockwise,
  doubleQuantize,
  namedFormat,
  type QFormat,
  qembedding,
  quantize,
  quantizeBlockwise,
  sizeOf,
  undoDoubleQuantize,
  zeros,
} from "@qlora-js/core";
import fc from "fast-check";
import { ids, normals, shapes, sizes } from "../arbitraries.ts";
import { type CaseTable, given, row } from "../conformance.ts";
import { at, fill, input, type Value } from "../value.ts";

const EXACT = { absolute: 0, relative: 0 };

export const formats: fc.Arbitrary<QFormat> = fc
  .tuple(fc.constantFrom("nf4", "fp4", "int4", "e3m0"), fc.constantFrom(32, 64, 256), fc.boolean())
  .map(([name, blockSize, doubleQuant]) => namedFormat(name, { blockSize, doubleQuant }));

const bytes = (codes: Uint8Array): Value => ({ shape: [codes.length], dtype: "u8", data: [...codes] });
const floats = (values: Float32Array): Value => ({ shape: [values.length], dtype: "f32", data: [...values] });

/** What a quantized tensor holds, in the order of QTensor.tensors(). */
function stored(x: Value, format: QFormat): Value[] {
  const blocks = quantizeBlockwise(Float32Array.from(x.data), format);
  if (!format.doubleQuant) return [bytes(blocks.codes), floats(blocks.absmax)];
  const { codes, absmaxCodes, absmax2, offset } = doubleQuantize(blocks);
  return [bytes(codes), bytes(absmaxCodes), floats(absmax2), { shape: [], dtype: "f32", data: [offset] }];
}

/** The values that the stored codes and scales of x stand for. */
export function restored(x: Value, format: QFormat): Value {
  const blocks = quantizeBlockwise(Float32Array.from(x.data), format);
  const read = format.doubleQuant ? undoDoubleQuantize(doubleQuantize(blocks)) : blocks;
  return { ...x, data: [...dequantizeBlockwise(read, format, sizeOf(x.shape))] };
}

const matrices = fc
  .tuple(formats, shapes({ minRank: 1, maxRank: 3, maxSize: 11 }))
  .chain(([format, shape]) => normals(shape).map((x) => given([x], { format })));

const nf4 = (doubleQuant: boolean): { format: QFormat } => ({ format: namedFormat("nf4", { doubleQuant }) });
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
/** A block each: all zero, NaN, ±∞, both zeros, tiny, a short last one. */
const ODD = [
  () => 0,
  (i: number) => (i === 5 ? nan : i / 64),
  (i: number) => (i === 5 ? inf : i === 6 ? -inf : i / 64),
  (i: number) => (i % 2 ? 0 : -0),
  (i: number) => i * 1e-42,
  (i: number) => (i < 7 ? i - 3 : 0),
];
const oddBlocks = input(ODD.flatMap((f, block) => Array.from({ length: block === 5 ? 7 : 64 }, (_, i) => f(i))));

const LARGE = fill([330, 200], (i, j) => Math.fround(Math.sin(i! * 200 + j!) * (i! + 1)));

export const quantizeCases: CaseTable = {
  cases: [
    row({
      title: "quantize gives the codes and scales of the format",
      given: matrices,
      run: ([x], { format }) => quantize(x!, format).tensors(),
      reference: ([x], { format }) => stored(x!, format),
      tolerance: EXACT,
      runs: 40,
    }),
    row({
      title: "quantize takes zero blocks, NaN, infinities and a short last block as they are",
      given: [given([oddBlocks], nf4(false))],
      run: ([x], { format }) => quantize(x!, format).tensors(),
      reference: ([x], { format }) => stored(x!, format),
      tolerance: EXACT,
    }),
    row({
      title: "quantize of a matrix that threads share",
      given: [given([LARGE], nf4(true)), given([LARGE], { format: namedFormat("fp4", { blockSize: 4096, doubleQuant: false }) })],
      run: ([x], { format }) => quantize(x!, format).tensors(),
      reference: ([x], { format }) => stored(x!, format),
      tolerance: EXACT,
    }),
    row({
      title: "dequantize gives code book values times scales",
      given: matrices,
      run: ([x], { format }) => dequantize(quantize(x!, format)),
      reference: ([x], { format }) => restored(x!, format),
      tolerance: EXACT,
      runs: 40,
    }),
    row({
      title: "dequantize of a matrix that threads share, and of odd blocks",
      given: [given([LARGE], nf4(true)), given([oddBlocks], nf4(false))],
      run: ([x], { format }) => dequantize(quantize(x!, format)),
      reference: ([x], { format }) => restored(x!, format),
      tolerance: EXACT,
    }),
    row({
      title: "qembedding gives rows of the table",
      given: fc
        .tuple(formats, sizes(7, 1), sizes(70), shapes({ maxRank: 2, maxSize: 4 }))
        .chain(([format, rows, width, idShape]) =>
          fc.tuple(normals([rows, width]), ids(idShape, rows)).map((inputs) => given(inputs, { format })),
        ),
      run: ([table, index], { format }) => qembedding(index!, quantize(table!, format)),
      reference: ([table, index], { format }) => {
        const weights = restored(table!, format);
        return fill([...index!.shape, table!.shape[1]!], (...i) => at(weights, at(index!, ...i.slice(0, -1)), i.at(-1)!));
      },
      tolerance: EXACT,
    }),
  ],
  refusals: [
    {
      title: "to quantize 16 bits",
      call: (b: Backend) => quantize(zeros(b, [4], "bf16"), namedFormat("nf4")),
      error: DTypeError,
      fields: { op: "quantize", dtypes: ["bf16"] },
    },
    {
      title: "ids that are not i32",
      call: (b: Backend) => qembedding(zeros(b, [4]), quantize(zeros(b, [4, 4]), namedFormat("nf4"))),
      error: DTypeError,
      fields: { op: "qembedding", dtypes: ["f32"] },
    },
  ],
};
