// A disk that is full in the middle of a run, a real one: a small tmpfs in a namespace of its own, where the system lets a user have one; and a limit on the
// size of files, which any POSIX shell can set. The run ends with a sentence, what was saved before is whole, and the run goes on to the same bits.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { adapterBytes, metricsOf, named, qlora, type Result } from "./command.ts";
import { useFixtures } from "./fixtures.ts";

const fixtures = useFixtures();
/** Matrices of 119 kB, moments of 238 kB: a saved step takes 357 kB, and the run's own adapter 119 kB. */
const RUN = ["--no-samples", "--batch", "2", "--accumulate", "1", "--rank", "16", "--steps", "6", "--save-every", "2", "--eval-every", "6"];

/** Runs a command on a disk of some size, and copies what is on it before it is gone. */
const ON_SMALL_DISK = [
  'mount -t tmpfs -o "size=$SIZE" tmpfs "$DISK" || exit 99',
  '"$@"; code=$?',
  'cp -a "$DISK/." "$KEPT"; exit $code',
].join("\n");
const canMount = ((): boolean => {
  const place = mkdtempSync(join(tmpdir(), "qlora-mount-"));
  const { status } = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", place]);
  rmSync(place, { recursive: true });
  return status === 0;
})();

describe("a run on a disk that is full", () => {
  let whole: string;
  beforeAll(async () => {
    const { folder, model, data } = fixtures();
    whole = join(folder, "whole");
    expect((await qlora(["train", model, data, ...RUN, "--out", whole])).code).toBe(0);
  });

  function expectFull(result: Result, code: string, words: RegExp): void {
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(words);
    expect(result.stderr).not.toMatch(/^\s+at /m);
    expect(result.events.at(-1)).toMatchObject({ event: "error", name: "StorageError", exitCode: 1 });
    expect(result.events.at(-1)!.message, code).toMatch(words);
  }

  /** Nothing is there by half, and with room the run goes on to what it would have been. */
  async function expectGoesOn(run: string, saved: number): Promise<void> {
    const steps = existsSync(join(run, "checkpoints")) ? readdirSync(join(run, "checkpoints")) : [];
    expect(steps).toEqual(saved === 0 ? [] : [`step-${String(saved).padStart(6, "0")}`]);
    expect(readdirSync(run).filter((name) => name.endsWith(".tmp") || name === ".lock")).toEqual([]);
    const resumed = await qlora(["train", "--resume", run, "--no-samples"]);
    expect(resumed).toMatchObject({ code: 0, stderr: "" });
    expect(named(resumed, "run")[0]).toMatchObject({ from: saved });
    expect(adapterBytes(run).equals(adapterBytes(whole))).toBe(true);
    const losses = (r: string): unknown[] => metricsOf(r).map(({ event, step, loss, gradNorm }) => [event, step, loss, gradNorm]);
    expect(losses(run)).toEqual(losses(whole));
  }

  const reason = canMount ? "" : " (skipped: this system lets a user mount no tmpfs)";
  it.skipIf(!canMount).each([
    ["300k", 0, "at the first saved step"],
    ["420k", 2, "at the run's adapter, after the step was saved"],
    ["720k", 2, "at the second saved step"],
  ])(`of %s stops it, and what was saved stays: step %i; full %s${reason}`, async (size, saved) => {
    const { folder, model, data } = fixtures();
    const [disk, kept] = [join(folder, `disk-${size}`), join(folder, `kept-${size}`)];
    for (const path of [disk, kept]) mkdirSync(path);
    const full = await qlora(["train", model, data, ...RUN, "--out", join(disk, "run")], {
      through: ["unshare", "-rm", "sh", "-c", ON_SMALL_DISK, "sh"],
      environment: { SIZE: size, DISK: disk, KEPT: kept },
    });
    expectFull(
      full,
      "ENOSPC",
      /there is no space left to write it\. Free some, or write to another disk\. What was saved before is unharmed\./,
    );
    await expectGoesOn(join(kept, "run"), saved);
  });

  it.skipIf(process.platform === "win32")("that takes no file so large stops it (a limit of the shell, so not on Windows)", async () => {
    const { folder, model, data } = fixtures();
    const run = join(folder, "limited");
    // room for the matrices, not for the moments
    const limit = `ulimit -f ${ulimitFor(160_000)}; exec "$@"`;
    const full = await qlora(["train", model, data, ...RUN, "--out", run], { through: ["sh", "-c", limit, "sh"] });
    expectFull(
      full,
      "EFBIG",
      /optimizer\.safetensors: it is larger than this system allows a file to be\. What was saved before is unharmed\./,
    );
    await expectGoesOn(run, 0);
  });
});

/** What to give `ulimit -f` for so many bytes: shells count in blocks of 512 or 1024, which one that writes too much tells. */
function ulimitFor(bytes: number): number {
  const place = mkdtempSync(join(tmpdir(), "qlora-ulimit-"));
  const { stdout } = spawnSync("sh", ["-c", `ulimit -f 1; head -c 4096 /dev/zero > "${place}/f" 2>/dev/null; wc -c < "${place}/f"`], {
    encoding: "utf8",
  });
  rmSync(place, { recursive: true });
  return Math.ceil(bytes / Number(stdout.trim()));
}
