// `qlora demo` as a user runs it, but for a few steps: what it tells, whether its forecasts are right, and how it stops.
import { describe, expect, it } from "vitest";
import { named, qlora } from "./command.ts";

interface MethodMemory {
  readonly forecast: { readonly deviceBytes: number };
  readonly measuredBytes: number;
}

describe("qlora demo", () => {
  it("looks, trains, looks again, and tells what it took", async () => {
    const run = await qlora(["demo", "--json", "--steps", "12", "--threads", "1"]);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(run.events.map(({ event }) => event)).toEqual([
      "start",
      "eval",
      ...Array(3).fill("generate"),
      ...Array(12).fill("step"),
      "eval",
      ...Array(3).fill("generate"),
      "memory",
      "pager",
      "done",
    ]);
    const [before, after] = named(run, "eval");
    expect(after!.loss).toBeLessThan(0.8 * (before!.loss as number));
    expect(run.events.at(-1)).toMatchObject({ event: "done", validLossBefore: before!.loss, validLossAfter: after!.loss });
    expect(named(run, "generate").map(({ text }) => text)).toContain("The capital of France is Paris.");
    expect(named(run, "pager")[0]!.peakResidentBytes).toBeLessThan((named(run, "pager")[0]!.stateBytes as number) / 2);

    const { methods } = named(run, "memory")[0] as unknown as { methods: Readonly<Record<string, MethodMemory>> };
    expect(Object.keys(methods)).toEqual(["full16", "lora", "qlora"]);
    for (const [method, { forecast, measuredBytes }] of Object.entries(methods)) {
      expect(forecast.deviceBytes / measuredBytes, method).toBeGreaterThan(0.9);
      expect(forecast.deviceBytes / measuredBytes, method).toBeLessThan(1.1);
    }
  });

  it("shows the same to a person, with the next command as its last line", async () => {
    const { code, stdout } = await qlora(["demo", "--no-json", "--steps", "2", "--threads", "1"]);
    expect(code).toBe(0);
    for (const part of ["validation loss", "before", "after", "step 1", "QLoRA NF4", "predicted", "measured", "pager"])
      expect(stdout).toContain(part);
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^ {2}qlora train .*micro\/model .*micro\/demo/);
    expect(stdout).not.toContain("\u001b");
  });

  it("stops on Ctrl-C without a word of complaint", async () => {
    const run = await qlora(["demo", "--json", "--threads", "1"], {
      onEvent: ({ event, step }, child) => event === "step" && step === 1 && child.kill("SIGINT"),
    });
    expect(run).toMatchObject({ code: 130, signal: null, stderr: "" });
    expect(run.events.at(-1)).toEqual({ event: "done", interrupted: true });
  });
});
