// A device that has no more room in the middle of a run says what to change.
import { join } from "node:path";
import { expect, it } from "vitest";
import { named, qlora } from "./command.ts";
import { useFixtures } from "./fixtures.ts";

const fixtures = useFixtures();

it("names the three cheapest changes, and goes on from what was saved", async () => {
  const { folder, model, data } = fixtures();
  const run = join(folder, "run");
  const args = [
    "train",
    model,
    data,
    "--no-samples",
    "--steps",
    "4",
    "--save-every",
    "1",
    "--batch",
    "2",
    "--accumulate",
    "1",
    "--out",
    run,
  ];
  const environment = { NODE_OPTIONS: `--import ${new URL("no-room.mjs", import.meta.url).href}`, QLORA_TEST_NO_ROOM_AT: "1500" };
  const failed = await qlora(args, { environment });
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(/cpu: no room for \d+ bytes\. The cheapest changes:\n( {2}\S.* saves .*\n){3}/);
  const saved = named(failed, "save").length;
  expect(saved).toBeGreaterThan(0);
  const resumed = await qlora(["train", "--resume", run, "--no-samples"]);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(named(resumed, "step")).toHaveLength(4 - saved);
});
