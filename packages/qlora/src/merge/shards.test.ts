import fc from "fast-check";
import { expect, test } from "vitest";
import { shardsOf } from "./shards.ts";

const sized = (sizes: readonly number[]) => new Map(sizes.map((byteLength, i) => [`t${i}`, { byteLength }]));

test("what fits is one file", () => {
  expect(shardsOf(sized([3, 4, 3]), 10)).toEqual([{ file: "model.safetensors", names: ["t0", "t1", "t2"] }]);
});

test("files are filled in order, as huggingface_hub's documentation shows", () => {
  const groups = shardsOf(sized([6, 6, 2, 6, 2, 2]), 10);
  expect(groups.map(({ names }) => names)).toEqual([["t0"], ["t1", "t2"], ["t3", "t4", "t5"]]);
  expect(groups.map(({ file }) => file)).toEqual([1, 2, 3].map((i) => `model-0000${i}-of-00003.safetensors`));
});

test("a tensor above the limit has a file of its own, and does not end the one that was being filled", () => {
  expect(shardsOf(sized([3, 11, 4]), 10).map(({ names }) => names)).toEqual([["t1"], ["t0", "t2"]]);
});

test("every tensor is in one file, and no file is above the limit but for a single tensor", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), fc.integer({ min: 1, max: 40 }), (sizes, most) => {
      const groups = shardsOf(sized(sizes), most);
      expect(groups.flatMap(({ names }) => names).sort()).toEqual([...sized(sizes).keys()].sort());
      const total = ({ names }: { names: readonly string[] }) => names.reduce((n, name) => n + sizes[Number(name.slice(1))]!, 0);
      for (const group of groups) expect(group.names.length === 1 || total(group) <= most).toBe(true);
    }),
  );
});
