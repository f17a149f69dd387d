// What a person can choose, to and from the page's address: a link is a lesson with its settings. What is not a sensible value falls back to the default.
import type { BackendName, Settings } from "./messages.ts";

const BACKENDS: readonly BackendName[] = ["auto", "webgpu", "webgpu:software", "webgl2", "wasm"];

const DEFAULTS: Settings = { backend: "auto", steps: 160, batch: 8, rank: 16, learningRate: 0.001, seed: 0 };

const LEAST = { steps: 1, batch: 1, rank: 1, learningRate: 1e-6, seed: 0 } as const;
const MOST = { steps: 2000, batch: 32, rank: 64, learningRate: 0.1, seed: 999_999 } as const;

/** Reads `#backend=wasm&steps=60&batch=8&rank=8&learningRate=0.002&seed=1`, or the same from a form. */
export function readSettings(from: URLSearchParams): Settings {
  const number = (name: keyof typeof LEAST): number => {
    const given = Number(from.get(name) || Number.NaN);
    const value = name === "learningRate" ? given : Math.round(given);
    return value >= LEAST[name] && value <= MOST[name] ? value : DEFAULTS[name];
  };
  const backend = from.get("backend");
  return {
    backend: BACKENDS.find((name) => name === backend) ?? DEFAULTS.backend,
    steps: number("steps"),
    batch: number("batch"),
    rank: number("rank"),
    learningRate: number("learningRate"),
    seed: number("seed"),
  };
}

export const writeSettings = (settings: Settings): string =>
  new URLSearchParams(Object.entries(settings).map(([k, v]) => [k, String(v)])).toString();
