// What a model is trained on, shown token by token, without reading a weight.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { named, qlora, qloraHere } from "./command.ts";
import { useFixtures } from "./fixtures.ts";

const fixtures = useFixtures();

it("shows rows as tokens: context, supervised, special", async () => {
  const { model, data } = fixtures();
  rmSync(join(model, "model.safetensors"));
  const shown = await qlora(["inspect", model, data, "--rows", "2"]);
  expect(shown.code).toBe(0);
  expect(named(shown, "data")[0]).toMatchObject({ train: { rows: 10, kind: "messages", bos: { once: 10 } }, valid: { rows: 4 } });
  const rows = named(shown, "row");
  expect(rows.map(({ line }) => line)).toEqual([1, 2]);
  const tokens = rows[0]!.tokens as { text: string; kind: string; supervised: boolean }[];
  const text = (wanted: (token: (typeof tokens)[number]) => boolean): string =>
    tokens
      .filter(wanted)
      .map((token) => token.text)
      .join("");
  expect(text(({ supervised }) => supervised)).toBe("Arr, 0 and 0 be 0, matey!<|im_end|>\n");
  expect(text(({ kind }) => kind === "special")).toBe("<|im_start|><|im_end|><|im_start|><|im_end|>");
  expect(shown.events.at(-1)!.event).toBe("done");
});

it("marks what is learnt with brackets where there is no colour, and with colour where it is wanted", async () => {
  const { model, data } = fixtures();
  const plain = await qloraHere(["inspect", model, data, "--rows", "1", "--no-json"]);
  expect(plain.stdout).toContain("[Arr, 0 and 0 be 0, matey!<|im_end|>]");
  expect(plain.stdout).not.toContain("\u001b[");
  const coloured = await qlora(["inspect", model, data, "--rows", "1", "--no-json"], { environment: { FORCE_COLOR: "1" } });
  expect(coloured.stdout).toContain("\u001b[32m");
  expect(coloured.stdout).not.toContain("[Arr");
});

it("shows ids where there is no tokenizer", async () => {
  const { bare, ids } = fixtures();
  const shown = await qloraHere(["inspect", bare, ids, "--rows", "1", "--no-json"]);
  expect(shown.stdout).toContain("1 5 [6 7 2]\n");
});
