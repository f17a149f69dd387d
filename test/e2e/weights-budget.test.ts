// Weights that come and go under a budget train to the same bits as weights that stay, and the command says what moved.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { adapterBytes, named, qlora } from "./command.ts";
import { useFixtures } from "./fixtures.ts";

const fixtures = useFixtures();
const MICRO = fileURLToPath(new URL("../../packages/qlora/micro/", import.meta.url));
const RUN = [join(MICRO, "model"), join(MICRO, "demo", "train.jsonl"), "--no-samples", "--steps", "2", "--batch", "1", "--accumulate", "2"];

it("trains to the same bits with two of five layers on the device", async () => {
  const [kept, paged] = ["kept", "paged"].map((name) => join(fixtures().folder, name)) as [string, string];
  expect((await qlora(["train", ...RUN, "--out", kept])).code).toBe(0);
  const result = await qlora(["train", ...RUN, "--out", paged, "--weights-budget", "210KB"]);
  expect(result.code).toBe(0);
  expect(adapterBytes(paged)).toEqual(adapterBytes(kept));
  const [, second] = named(result, "step");
  const { hits, faults, bytesIn, bytesOut, peakResidentBytes } = second!.weightsPager as Record<string, number>;
  expect(hits! + faults!).toBeGreaterThanOrEqual(4 * 8); // a micro-batch goes through five layers and back through four, and begins where the last one ended
  expect(bytesIn).toBeGreaterThan(faults! * 100_000);
  expect(bytesOut).toBe(0);
  expect(peakResidentBytes).toBeLessThanOrEqual(210_000);
  const text = await qlora(["train", ...RUN, "--steps", "1", "--no-json", "--out", `${paged}-text`, "--weights-budget", "210KB"]);
  expect(text.stdout).toMatch(/1\/1 .*loss .* weights \d+ hits · \d+ faults? · [\d.]+ MB in$/m);
});

it("refuses a budget that no layer fits, before it trains", async () => {
  const { code, stderr } = await qlora(["train", ...RUN, "--out", join(fixtures().folder, "none"), "--weights-budget", "50KB"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/--weights-budget: page 0 of the weights takes \d+ bytes/);
});
