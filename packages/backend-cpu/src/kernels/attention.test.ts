import { describe, it } from "vitest";
import { againstPlain, floats, ints, noise, valuesOf } from "./against-plain.fixture.ts";

const compare = againstPlain();

interface Sizes {
  readonly B: number;
  readonly T: number;
  readonly H: number;
  readonly D: number;
  readonly S: number;
  readonly G: number;
  readonly offset: number;
  readonly starts: readonly number[];
  readonly window?: number | null;
  readonly softcap?: number | null;
}

const attrsOf = ({ D, offset, window = null, softcap = null }: Sizes) => ({
  scale: 1 / Math.sqrt(D),
  offset,
  window,
  softcap,
});

function forward(sizes: Sizes, size = 2) {
  const { B, T, H, D, S, G, starts } = sizes;
  return {
    op: "attention",
    inputs: [
      floats([B, T, H, D], (i) => size * noise(1)(i)),
      floats([B, S, G, D], (i) => size * noise(2)(i)),
      floats([B, S, G, D], noise(3)),
      ints([B], (i) => starts[i]!),
    ],
    outputs: [
      { shape: [B, T, H, D], dtype: "f32" },
      { shape: [B, H, T], dtype: "f32" },
    ] as const,
    attrs: attrsOf(sizes),
  };
}

/** y and L belong to q, k and v, as the forward pass leaves them. */
async function backward(sizes: Sizes) {
  const { B, T, H, D, S, G } = sizes;
  const call = forward(sizes);
  const [y, l] = await valuesOf(call);
  const shapes = [
    [B, T, H, D],
    [B, S, G, D],
    [B, S, G, D],
  ];
  return {
    op: "attentionBackward",
    inputs: [...call.inputs, y!, l!, floats([B, T, H, D], noise(4))],
    outputs: shapes.map((shape) => ({ shape, dtype: "f32" }) as const),
    attrs: attrsOf(sizes),
  };
}

const WHOLE: Sizes[] = [
  { B: 1, T: 5, H: 2, D: 8, S: 5, G: 1, offset: 0, starts: [0] },
  { B: 2, T: 70, H: 6, D: 64, S: 100, G: 2, offset: 20, starts: [3, 25] },
  { B: 1, T: 133, H: 2, D: 20, S: 133, G: 2, offset: 0, starts: [130] },
  { B: 1, T: 130, H: 3, D: 32, S: 130, G: 1, offset: 0, starts: [0] },
  { B: 2, T: 9, H: 3, D: 128, S: 12, G: 1, offset: 1, starts: [0, 11] },
  { B: 1, T: 65, H: 1, D: 300, S: 65, G: 1, offset: 0, starts: [0] },
  { B: 1, T: 3, H: 1, D: 1, S: 3, G: 1, offset: 0, starts: [0] },
];
/** Windows of one key, of some, of a block and one more, of all; caps that flatten everything, and caps that hardly matter. */
const OPTIONS = [{ window: 1 }, { window: 7 }, { window: 65, softcap: 0.3 }, { window: 1000 }, { softcap: 50 }];
const CASES: Sizes[] = [...WHOLE, ...OPTIONS.flatMap((options) => WHOLE.map((sizes) => ({ ...sizes, ...options })))];
const TITLE =
  "$B × $T queries of $H heads of $D over $S keys of $G heads, offset $offset, starts $starts, window $window, softcap $softcap";

describe("attention", () => {
  it.each(CASES)(`is the plain one for ${TITLE}`, async (sizes) => {
    await compare(forward(sizes), { absolute: 2e-6, relative: 2e-6 });
  });
  it.each(CASES)(`goes back as the plain one for ${TITLE}`, async (sizes) => {
    await compare(await backward(sizes), { absolute: 6e-6, relative: 4e-6 });
  });
  it("adds up heads that share keys in one task where there is no room for each", async () => {
    await compare(await backward({ B: 1, T: 8, H: 32, D: 64, S: 1100, G: 16, offset: 1090, starts: [1000] }), {
      absolute: 6e-6,
      relative: 4e-6,
    });
  });
  it.each([1, 2])("is the plain one where %i query follows many cached keys", async (T) => {
    await compare(forward({ B: 2, T, H: 9, D: 64, S: 400, G: 3, offset: 390, starts: [0, 100] }), { absolute: 2e-6, relative: 2e-6 });
    await compare(forward({ B: 1, T, H: 4, D: 10, S: 70, G: 4, offset: 66, starts: [68] }), { absolute: 2e-6, relative: 2e-6 });
    for (const options of OPTIONS)
      await compare(forward({ B: 2, T, H: 9, D: 64, S: 400, G: 3, offset: 390, starts: [0, 385], ...options }), {
        absolute: 2e-6,
        relative: 2e-6,
      });
  });
  it("gives 0 and −∞ to queries before their row's start", async () => {
    await compare(forward({ B: 1, T: 20, H: 1, D: 16, S: 20, G: 1, offset: 0, starts: [20] }));
  });
  it("stays finite where scores are large", async () => {
    await compare(forward({ B: 1, T: 80, H: 1, D: 16, S: 80, G: 1, offset: 0, starts: [0] }, 100), { absolute: 2e-4, relative: 1e-5 });
  });
});
