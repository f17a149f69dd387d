// A run that is stopped, however it is stopped, goes on to the bits it would have had.
import type { ChildProcess } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { adapterBytes, type Event, metricsOf, named, qlora, qloraHere, type Result } from "./command.ts";
import { useFixtures } from "./fixtures.ts";

const fixtures = useFixtures();
const STEPS = 12;
// dropout and shuffled rows, so that both have to be what they would have been; the rate falls, so that the step's number matters
const OPTIONS = [
  "--no-samples",
  "--batch",
  "2",
  "--accumulate",
  "2",
  "--rank",
  "4",
  "--dropout",
  "0.1",
  "--schedule",
  "linear",
  "--warmup",
  "2",
  "--lr",
  "5e-3",
];
const RUN = [...OPTIONS, "--steps", String(STEPS), "--save-every", "2", "--eval-every", "5"];

/** What does not depend on the clock. */
const numbers = (events: readonly Event[]): unknown[] =>
  events
    .filter(({ event }) => event === "step" || event === "eval")
    .map(({ event, step, loss, gradNorm, learningRate, supervisedTokens }) => [
      event,
      step,
      loss,
      gradNorm,
      learningRate,
      supervisedTokens,
    ]);

const newest = (run: string): string =>
  readdirSync(join(run, "checkpoints"))
    .filter((name) => name.startsWith("step-"))
    .sort()
    .at(-1)!;

describe("a run that never stopped", () => {
  let whole: string;
  beforeAll(async () => {
    const { folder, model, data } = fixtures();
    whole = join(folder, "whole");
    const result = await qlora(["train", model, data, ...RUN, "--threads", "1", "--out", whole]);
    expect(result.stderr).toBe("");
    expect(result.code).toBe(0);
  });

  const expectSameAsWhole = (run: string): void => {
    expect(numbers(metricsOf(run))).toEqual(numbers(metricsOf(whole)));
    expect(adapterBytes(run).equals(adapterBytes(whole))).toBe(true);
    const moments = join("checkpoints", `step-0000${STEPS}`, "state", "optimizer.safetensors");
    expect(readFileSync(join(run, moments)).equals(readFileSync(join(whole, moments)))).toBe(true);
  };

  /** Starts the run and kills it the hard way when it has said something. */
  const killedWhen = async (name: string, step: number, delay: number): Promise<string> => {
    const { folder, model, data } = fixtures();
    const run = join(folder, `killed-${name}-${step}-${delay}`);
    const onEvent = (event: Event, child: ChildProcess): void => {
      if (event.event === name && event.step === step) setTimeout(() => child.kill("SIGKILL"), delay);
    };
    const killed = await qlora(["train", model, data, ...RUN, "--out", run], { onEvent });
    expect(killed.signal).toBe("SIGKILL");
    return run;
  };

  it.each([
    ["save", 4, 0],
    ["step", 6, 0],
    ["step", 6, 3],
    ["step", 8, 12],
  ] as const)("is equalled bit for bit after kill -9 at %s %i (+%i ms), with another number of threads", async (name, step, delay) => {
    const run = await killedWhen(name, step, delay);
    const saved = Number(newest(run).slice(5));
    expect(saved).toBeGreaterThanOrEqual(2);
    const resumed = await qlora(["train", "--resume", run, "--threads", "2"]);
    expect(resumed.stderr).toBe("");
    expect(resumed.code).toBe(0);
    expect(named(resumed, "run")[0]).toMatchObject({ from: saved });
    expect(named(resumed, "step")[0]!.step).toBe(saved + 1);
    expectSameAsWhole(run);
  });

  it("is equalled after a kill before anything was saved", async () => {
    const run = await killedWhen("step", 1, 0);
    if (existsSync(join(run, "checkpoints"))) expect(readdirSync(join(run, "checkpoints")).filter((n) => !n.startsWith("."))).toEqual([]);
    expect((await qlora(["train", "--resume", run])).code).toBe(0);
    expectSameAsWhole(run);
  });

  it("is equalled after Ctrl-C, which saves the step it is in and exits with 130", async () => {
    const { folder, model, data } = fixtures();
    const run = join(folder, "interrupted");
    const onEvent = (event: Event, child: ChildProcess): void => {
      if (event.event === "step" && event.step === 5) child.kill("SIGINT");
    };
    const stopped = await qlora(["train", model, data, ...RUN, "--out", run], { onEvent });
    expect(stopped.code).toBe(130);
    const { step } = stopped.events.at(-1) as unknown as { step: number };
    expect(stopped.events.at(-1)).toMatchObject({ event: "done", interrupted: true });
    expect(newest(run)).toBe(`step-${String(step).padStart(6, "0")}`);
    expect((await qlora(["train", model, data, ...RUN, "--resume", run])).code).toBe(0);
    expectSameAsWhole(run);
  });

  it("is equalled by a shorter run at a constant rate that is then told to do more steps", async () => {
    const { folder, model, data } = fixtures();
    const [long, short] = [join(folder, "long"), join(folder, "short")];
    const constant = ["--no-samples", "--batch", "2", "--rank", "2", "--dropout", "0.1"];
    await qloraHere(["train", model, data, ...constant, "--steps", "5", "--out", long]);
    await qloraHere(["train", model, data, ...constant, "--steps", "3", "--out", short]);
    expect((await qloraHere(["train", "--resume", short, "--steps", "5"])).code).toBe(0);
    const steps = (run: string): unknown[] => numbers(metricsOf(run).filter(({ event }) => event === "step"));
    expect(steps(short)).toEqual(steps(long));
    expect(adapterBytes(short).equals(adapterBytes(long))).toBe(true);
  });

  it("is equalled by one that another process wanted to go on with meanwhile, or start anew, and was refused", async () => {
    const { folder, model, data } = fixtures();
    const run = join(folder, "wanted-twice");
    const others: Promise<Result>[] = [];
    const onEvent = ({ event, step }: Event, child: ChildProcess): void => {
      if (event !== "save" || step !== 2) return;
      child.kill("SIGSTOP"); // it holds the run for as long as the others ask
      others.push(qlora(["train", "--resume", run]), qlora(["train", model, data, ...RUN, "--out", run]), qlora(["eval", run, data]));
      void Promise.all(others).then(() => child.kill("SIGCONT"));
    };
    const first = await qlora(["train", model, data, ...RUN, "--out", run], { onEvent });
    const [resumed, anew, evaluated] = await Promise.all(others);
    expect(resumed!.code).toBe(2);
    expect(resumed!.stderr).toMatch(/wanted-twice: is being written by process \d+, since .*Wait for it or stop it first/);
    expect(resumed!.events.at(-1)).toMatchObject({ event: "error", name: "RunInUseError" });
    expect(anew).toMatchObject({ code: 2, stderr: expect.stringContaining("is a run already") });
    expect(named(evaluated!, "eval")[0]).toMatchObject({ rows: 4 });
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(readdirSync(run)).not.toContain(".lock");
    expectSameAsWhole(run);
  });

  it("can be gone on with after a kill that left its lock", async () => {
    const run = await killedWhen("save", 2, 0);
    expect(readdirSync(run)).toContain(".lock");
    expect((await qlora(["train", "--resume", run])).code).toBe(0);
    expect(readdirSync(run)).not.toContain(".lock");
    expectSameAsWhole(run);
  });

  it("cannot be made longer where its rate ends at the last step, and says what to do instead", async () => {
    const before = adapterBytes(whole);
    const refused = await qloraHere(["train", "--resume", whole, "--steps", String(STEPS + 4)]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      /--steps: is 16, and .*whole was begun for 12, at which its linear rate ends.*--adapter .*whole\/adapter/,
    );
    expect(adapterBytes(whole).equals(before)).toBe(true);
    const more = await qloraHere(["train", "--resume", whole, "--epochs", "9"]);
    expect(more).toMatchObject({ code: 2, stderr: expect.stringContaining("linear rate") });
  });

  it("goes on from the step before where the newest is damaged, once that is moved away", async () => {
    const { folder } = fixtures();
    for (const file of [join("state", "optimizer.safetensors"), join("adapter", "adapter_config.json")]) {
      const run = join(folder, `damaged-${Math.random()}`);
      cpSync(whole, run, { recursive: true });
      const saved = join(run, "checkpoints", newest(run));
      writeFileSync(join(saved, file), "{");
      const refused = await qloraHere(["train", "--resume", run]);
      expect(refused).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/step-000012: is damaged \(.*\) Move it away, and the run goes on/),
      });
      rmSync(saved, { recursive: true });
      expect(named(await qloraHere(["train", "--resume", run]), "run")[0]).toMatchObject({ from: 10 });
      expectSameAsWhole(run);
    }
  });

  it("says where its model or data were, if they are not there any more", async () => {
    const { folder, model, data } = fixtures();
    const [moved, run] = [join(folder, "moved-model"), join(folder, "of-moved")];
    cpSync(model, moved, { recursive: true });
    await qloraHere(["train", moved, data, "--steps", "1", "--rank", "2", "--no-samples", "--out", run]);
    rmSync(moved, { recursive: true });
    const resumed = await qloraHere(["train", "--resume", run, "--steps", "2"]);
    expect(resumed).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/moved-model: there is no such file or folder.*train MODEL DATA --resume/),
    });
    const asked = await qloraHere(["eval", run, data]);
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringMatching(/was trained on .*moved-model.*Give the model's folder/) });
    expect((await qloraHere(["train", model, data, "--resume", run, "--steps", "2", "--no-samples"])).code).toBe(0);
  });

  it("has nothing left to do when it is gone on with", async () => {
    const before = adapterBytes(whole);
    const again = await qloraHere(["train", "--resume", whole]);
    expect(again.code).toBe(0);
    expect(named(again, "step")).toEqual([]);
    expect(adapterBytes(whole).equals(before)).toBe(true);
  });

  it.each([
    [["--rank", "8"], "--rank"],
    [["--lr", "1e-3"], "--lr"],
    [["--seed", "1"], "--seed"],
    [["--no-double-quant"], "--double-quant"],
    [["--max-length", "30"], "--max-length"],
    [["--steps", "3"], "--steps"],
  ])("cannot be gone on with under %j, and says which option it is", async (changed, option) => {
    const refused = await qloraHere(["train", "--resume", whole, ...changed]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(option);
  });

  it("cannot be gone on with on other data or another model", async () => {
    const { folder, data, model } = fixtures();
    const [otherData, otherModel] = [join(folder, "other-data"), join(folder, "other-model")];
    cpSync(data, otherData, { recursive: true });
    writeFileSync(join(otherData, "train.jsonl"), `${readFileSync(join(data, "train.jsonl"), "utf8")}\n`);
    const onData = await qloraHere(["train", model, otherData, "--resume", whole]);
    expect(onData).toMatchObject({ code: 2, stderr: expect.stringContaining("train.jsonl") });
    cpSync(model, otherModel, { recursive: true });
    const bytes = readFileSync(join(model, "model.safetensors"));
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(join(otherModel, "model.safetensors"), bytes);
    const onModel = await qloraHere(["train", otherModel, data, "--resume", whole]);
    expect(onModel).toMatchObject({ code: 2, stderr: expect.stringContaining("model.safetensors") });
  });
});
