// For tests of downloads: a hub with one tiny model, an empty cache, and a client that waits for nothing and notes what it would have waited.
import { mkdtempSync, rmSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HubError, type HubProblem } from "@qlora-js/qlora";
import { type Hub, openHub } from "@qlora-js/qlora/node";
import { afterEach, beforeEach, expect } from "vitest";
import { type Asked, HubServer, type Repository, sha256 } from "./hub-server.ts";

export const WEIGHTS = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3);
export const CONFIG = '{"model_type":"llama"}';
export const TOKENIZER = "{}";
export const MODEL: Repository = {
  kind: "model",
  name: "org/tiny",
  files: {
    "config.json": CONFIG,
    "tokenizer.json": TOKENIZER,
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": "never to be asked for",
    "onnx/model.onnx": "never to be asked for",
    "README.md": "# Tiny",
  },
  large: /\.(safetensors|bin|onnx)$/,
  tags: ["v1.0", "feature/x"],
};
/** Bytes of what is needed of it. */
export const MODEL_BYTES = WEIGHTS.length + CONFIG.length + TOKENIZER.length;
export const NAME = { repository: "org/tiny", path: undefined, revision: undefined };

export class HubFixture {
  /** Milliseconds that were not waited. */
  readonly waits: number[] = [];
  commit: string;

  constructor(
    readonly server: HubServer,
    /** `HF_HOME` */
    readonly folder: string,
  ) {
    this.commit = server.add(MODEL);
  }

  /** A client of the hub. */
  async client(environment: Record<string, string> = {}, more: Partial<Hub> = {}): Promise<Hub> {
    const opened = await openHub({ environment: { HF_ENDPOINT: this.server.endpoint, HF_HOME: this.folder, ...environment } });
    return { ...opened, wait: async (ms) => this.waits.push(ms), ...more };
  }

  get root(): string {
    return join(this.folder, "hub", "models--org--tiny");
  }

  get snapshot(): string {
    return join(this.root, "snapshots", this.commit);
  }

  blob(id: string): string {
    return join(this.root, "blobs", id);
  }

  /** Of the weights. */
  get partial(): string {
    return `${this.blob(sha256(WEIGHTS))}.qlora.incomplete`;
  }

  get storeRequests(): Asked[] {
    return this.server.asked.filter(({ at }) => at === "store");
  }

  clearCache(): void {
    rmSync(join(this.folder, "hub"), { recursive: true, force: true });
  }

  /** Answers some requests in the hub's place. */
  answer(when: (asked: Asked) => boolean, how: (response: ServerResponse, asked: Asked, content: Uint8Array | undefined) => void): void {
    this.server.fault = (asked, response, content) => {
      if (!when(asked)) return false;
      how(response, asked, content);
      return true;
    };
  }
}

/** One for each test. */
export function useHub(): () => HubFixture {
  let made: HubFixture | undefined;
  beforeEach(async () => {
    made = new HubFixture(await HubServer.start(), mkdtempSync(join(tmpdir(), "qlora-hub-")));
  });
  afterEach(async () => {
    await made!.server.stop();
    rmSync(made!.folder, { recursive: true, force: true });
  });
  return () => made!;
}

/** The error of a download that fails for this reason. */
export async function failure(problem: HubProblem, download: Promise<unknown>): Promise<HubError> {
  const error = await download.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(HubError);
  expect(error).toMatchObject({ problem });
  return error as HubError;
}
