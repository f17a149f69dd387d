import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StorageError } from "../error.ts";
import { MetricsLog, readMetrics } from "./metrics-log.ts";

describe("MetricsLog", () => {
  let run: string;
  beforeEach(async () => {
    run = await mkdtemp(join(tmpdir(), "qlora-metrics-"));
  });
  afterEach(() => rm(run, { recursive: true }));
  const lines = () => readMetrics(join(run, "metrics.jsonl"));
  const table = () => readFile(join(run, "metrics.csv"), "utf8");

  it("writes a line an event, and steps and evaluations as a table", async () => {
    const log = await MetricsLog.open(run, 0);
    await log.append({ event: "eval", step: 0, loss: 2, perplexity: 7.4, bitsPerByte: Number.NaN });
    await log.append({ event: "sample", step: 0, text: "a,\n" });
    await log.append({ event: "step", step: 1, loss: 1.5, gradNorm: 0.25 });
    await log.flush();
    await log.close();
    expect(await lines()).toEqual([
      { event: "eval", step: 0, loss: 2, perplexity: 7.4, bitsPerByte: null },
      { event: "sample", step: 0, text: "a,\n" },
      { event: "step", step: 1, loss: 1.5, gradNorm: 0.25 },
    ]);
    expect(await table()).toBe(
      "event,step,loss,gradNorm,learningRate,supervisedTokens,tokensPerSecond,residentBytes,perplexity,bitsPerByte\n" +
        "eval,0,2,,,,,,7.4,\nstep,1,1.5,0.25,,,,,,\n",
    );
  });

  it("drops what came after the step that is gone on from, and a line cut by a kill", async () => {
    const first = await MetricsLog.open(run, 0);
    for (const step of [1, 2, 3, 4]) await first.append({ event: "step", step, loss: step });
    await first.close();
    await appendFile(join(run, "metrics.jsonl"), '{"event":"step","st');
    const second = await MetricsLog.open(run, 2);
    expect(second.before.map(({ step }) => step)).toEqual([1, 2]);
    await second.append({ event: "step", step: 3, loss: 9 });
    await second.close();
    expect((await lines()).map(({ step, loss }) => [step, loss])).toEqual([
      [1, 1],
      [2, 2],
      [3, 9],
    ]);
    expect((await table()).trimEnd().split("\n")).toHaveLength(4);
  });

  it("says which file cannot be written", async () => {
    await writeFile(join(run, "file"), "");
    const opening = MetricsLog.open(join(run, "file"), 0);
    await expect(opening).rejects.toThrow(StorageError);
    await expect(opening).rejects.toMatchObject({ path: join(run, "file", "metrics.jsonl") });
  });
});
