// What page and worker say to each other. Types alone.
import type { ComponentBytes, TrainStep } from "@qlora-js/qlora";

/** `webgpu:software` is a GPU in software: right and slow, for a look where there is no GPU. */
export type DeviceName = "webgpu" | "webgpu:software" | "webgl2" | "wasm";

/** `auto` is the best of those that are there. */
export type BackendName = DeviceName | "auto";

/** What a person can choose; the page's address carries it. */
export interface Settings {
  readonly backend: BackendName;
  readonly steps: number;
  /** Rows in a step. */
  readonly batch: number;
  readonly rank: number;
  readonly learningRate: number;
  readonly seed: number;
}

export type Command =
  | { readonly type: "open"; readonly settings: Settings }
  | { readonly type: "play" }
  | { readonly type: "pause" }
  /** One step, then pause. */
  | { readonly type: "step" }
  /** Answers with the adapter taken off, and with it. */
  | { readonly type: "ask"; readonly question: string };

/** What computes, in a person's words. */
export interface Device {
  readonly backend: DeviceName;
  readonly title: string;
  /** What is not as it was asked for, or not as fast as it could be, and why. */
  readonly notes: readonly string[];
  /** WebGPU was asked for, and there is only one in software. */
  readonly softwareOnly: boolean;
}

export type MemoryOf = "here" | "large";

export interface MethodBytes {
  readonly method: "full16" | "lora" | "qlora";
  readonly components: ComponentBytes;
  readonly deviceBytes: number;
}

/** The model lies on the device. */
export interface Opened {
  readonly device: Device;
  readonly parameters: number;
  readonly trained: number;
  readonly rows: number;
  readonly validRows: number;
  readonly samples: readonly { readonly question: string; readonly answer: string }[];
  readonly questions: readonly string[];
  /** Predicted for a step of this run, and for a row of 512 tokens on a model of 7 billion parameters. */
  readonly memory: Readonly<Record<MemoryOf, readonly MethodBytes[]>>;
}

/** Bytes on the device: between steps, and at most since the model was loaded. */
export interface Measured {
  readonly live: number;
  readonly peak: number;
  /** They are of textures, not of buffers. */
  readonly inTextures: boolean;
}

export type Report =
  | ({ readonly type: "opened" } & Opened)
  /** What the worker does now, for the status line. */
  | { readonly type: "doing"; readonly what: string }
  /** `step` is how many were done. */
  | { readonly type: "answers"; readonly step: number; readonly answers: readonly string[] }
  | { readonly type: "validation"; readonly step: number; readonly loss: number }
  | ({ readonly type: "step"; readonly memory: Measured } & TrainStep)
  /** The device is gone. What comes next goes on from the last step that was kept, on what the next "opened" says. */
  | { readonly type: "lost"; readonly kept: number }
  | { readonly type: "asked"; readonly question: string; readonly before: string; readonly now: string }
  | { readonly type: "paused"; readonly step: number }
  | { readonly type: "finished"; readonly step: number }
  | { readonly type: "failed"; readonly name: string; readonly message: string };
