// What `qlora quantize` wrote, in the hands of transformers + bitsandbytes: loaded and continued from; and their own quantization beside it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { NEEDS_PYTHON, python, runPython } from "../python/python.ts";
import { named, qlora } from "./command.ts";
import { useFixtures } from "./fixtures.ts";

const fixtures = useFixtures();
const PROMPT = [1, 17, 300, 42, 7];

describe.skipIf(python() === undefined)(`transformers + bitsandbytes (${NEEDS_PYTHON})`, () => {
  it("quantize to the same bytes, load what was written, and continue a text alike", async () => {
    const { folder, model } = fixtures();
    const place = (name: string): string => join(folder, name);
    const weights = (name: string): Buffer => readFileSync(join(place(name), "model.safetensors"));
    expect((await qlora(["quantize", model, "--to", place("ours")])).code).toBe(0);
    expect((await qlora(["quantize", model, "--to", place("ours-plain"), "--no-double-quant"])).code).toBe(0);
    const paths = [place("ours"), model, place("theirs")];
    const continued = JSON.parse(await runPython("./bnb_checkpoint.py", paths, { input: JSON.stringify(PROMPT) })) as number[];
    expect(weights("theirs").equals(weights("ours-plain"))).toBe(true);
    const greedy = ["--prompt-ids", PROMPT.join(","), "--temperature", "0", "--max-new-tokens", "12"];
    expect(named(await qlora(["generate", place("ours"), ...greedy]), "generate")[0]!.ids).toEqual(continued);
  });
});
