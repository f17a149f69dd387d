import { expect, it } from "vitest";
import { DownloadProgress } from "./download-progress.ts";
import { Output } from "./output.ts";

const PLAN = {
  repository: "org/name",
  commit: "0123456789abcdef0123456789abcdef01234567",
  files: [{ path: "a", size: 5e8, id: "" }],
  bytes: 4e8,
  freeBytes: 1e10,
  cache: "/c",
};

function shown({ json, isTTY }: { json: boolean; isTTY: boolean }) {
  let text = "";
  let now = 0;
  const stream = { write: (piece: string) => (text += piece), isTTY, columns: 120 };
  const progress = new DownloadProgress(new Output({ json, stream, environment: {} }), () => now);
  return { progress, at: (ms: number) => (now = ms), text: () => text };
}

it("tells size, room, rate and time left to a terminal", () => {
  const { progress, at, text } = shown({ json: false, isTTY: true });
  progress.onPlan(PLAN);
  expect(text()).toContain("org/name at 0123456789ab · 1 file · 400 MB to come · 10.0 GB free in /c");
  at(1000);
  progress.onBytes(1e8);
  expect(text()).toContain("25 % · 100 MB of 400 MB · 100 MB/s · 0:03 left");
  at(4000);
  progress.onBytes(3e8);
  progress.onDone();
  expect(text()).toContain("done in 0:04 · 100 MB/s");
});

it("forgets what was thrown away, and never says less than nothing or more than all", () => {
  const { progress, at, text } = shown({ json: false, isTTY: true });
  progress.onPlan(PLAN);
  at(1000);
  progress.onBytes(-1e8);
  expect(text()).toContain("0 % · 0 B of 400 MB · 0 B/s");
  at(2000);
  progress.onBytes(6e8);
  expect(text()).toContain("100 % · 400 MB of 400 MB");
});

it("is events for a program, a few a minute", () => {
  const { progress, at, text } = shown({ json: true, isTTY: false });
  progress.onPlan(PLAN);
  for (let ms = 100; ms <= 11_000; ms += 100) {
    at(ms);
    progress.onBytes(1e6);
  }
  progress.onDone();
  const events = text()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { event: string });
  expect(events.map(({ event }) => event)).toEqual(["download", "downloading", "downloading", "downloaded"]);
  expect(events[0]).toMatchObject({ bytes: 4e8, freeBytes: 1e10, files: [{ path: "a", size: 5e8 }] });
  expect(events[1]).toMatchObject({ total: 4e8, bytesPerSecond: 1e7 });
});
