// The way to Python itself: arguments, input and output go through, and what fails says why.
import { describe, expect, it } from "vitest";
import { NEEDS_PYTHON, python, runPython } from "./python.ts";

describe.skipIf(python() === undefined)(`the Python to compare with (${NEEDS_PYTHON})`, () => {
  it("has the pinned versions", async () => {
    expect(await runPython("./versions.py")).toContain("transformers");
  });

  it("is given arguments and input, and gives its output", async () => {
    const code = "import sys; print(sys.argv[1], sys.stdin.read())";
    expect(await runPython({ code }, ["ä b"], { input: "ü" })).toBe("ä b ü\n");
  });

  it("says what went wrong", async () => {
    await expect(runPython({ code: "raise ValueError('seven')" })).rejects.toThrow("ValueError: seven");
    await expect(runPython({ code: "import time; time.sleep(60)" }, [], { timeout: 1 })).rejects.toThrow("within 1 s");
  });
});
