import { describe, expect, it } from "vitest";
import { UsageError } from "../error.ts";
import type { RepositoryFile } from "./list-repository.ts";
import { wantedData } from "./wanted-data.ts";
import { wantedFiles } from "./wanted-files.ts";

const files = (...paths: string[]) => paths.map((path) => ({ path, size: 1, id: "0".repeat(40) }));
const paths = (chosen: readonly { readonly path: string }[]) => chosen.map(({ path }) => path);

describe("the files of a model that are needed", () => {
  const text = ["config.json", "tokenizer.json", "generation_config.json"];

  it("are its text and one kind of weights: one file, or all shards and their index", () => {
    const more = ["pytorch_model.bin", "model.onnx", "q4.gguf", "README.md", "consolidated.safetensors", "original/params.json"];
    expect(paths(wantedFiles("a/b", files(...text, "model.safetensors", ...more), "model"))).toEqual([...text, "model.safetensors"]);
    const shards = ["model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    expect(paths(wantedFiles("a/b", files(...text, ...shards, ...more), "model"))).toEqual([...text, ...shards]);
    expect(paths(wantedFiles("a/b", files(...text, ...shards), "text"))).toEqual(text);
    expect(paths(wantedFiles("a/b", files("x/q4.gguf", "config.json"), { path: "x/q4.gguf" }))).toEqual(["x/q4.gguf"]);
    const parts = ["x/q4-00001-of-00002.gguf", "x/q4-00002-of-00002.gguf"];
    expect(paths(wantedFiles("a/b", files(...parts, "q8.gguf"), { path: parts[1]! }))).toEqual(parts);
    expect(() => wantedFiles("a/b", files(parts[1]!), { path: parts[1]! })).toThrow("has no x/q4-00001-of-00002.gguf");
    expect(paths(wantedFiles("a/b", files("adapter_config.json", "adapter_model.safetensors", "README.md"), "adapter"))).toHaveLength(2);
  });

  it("are not there: says what is, and what to do", () => {
    const refusal =
      (...there: string[]) =>
      () =>
        wantedFiles("a/b", files(...there), "model");
    expect(refusal(...text, "pytorch_model.bin")).toThrow(/a\/b: holds its weights as pytorch_model\.bin, a pickle.*m = "a\/b"; /);
    expect(refusal("b-q4.gguf", "b-q8.gguf")).toThrow("holds GGUF files. Give one of them: a/b/b-q4.gguf, a/b/b-q8.gguf");
    expect(refusal("adapter_config.json", "adapter_model.bin")).toThrow("holds an adapter, not a model");
    expect(refusal(...text, "model.safetensors.index.json", "model-00001-of-00003.safetensors")).toThrow("1 of the 3 shards");
    expect(refusal("README.md")).toThrow(/no model with config\.json.*It holds README\.md/);
    expect(refusal()).toThrow(UsageError);
    expect(() => wantedFiles("a/b", files("x"), { path: "y.gguf" })).toThrow("has no y.gguf. It holds x.");
  });
});

describe("the files of a data set", () => {
  const chosen = (...there: string[]) => {
    const { train, valid } = wantedData("a/b", files(...there), undefined);
    return [one(train), valid && one(valid)];
  };
  const one = (files: readonly RepositoryFile[]) => (files.length === 1 ? files[0]!.path : files.map(({ path }) => path));

  it("are told by the words in their names, or in their folders'", () => {
    expect(chosen("train.jsonl", "valid.jsonl", "test.jsonl")).toEqual(["train.jsonl", "valid.jsonl"]);
    expect(chosen("data/my_train_set.jsonl", "data/dev.jsonl")).toEqual(["data/my_train_set.jsonl", "data/dev.jsonl"]);
    expect(chosen("train/rows.json", "validation/rows.json", "dataset_infos.json")).toEqual(["train/rows.json", "validation/rows.json"]);
    expect(chosen("trained_on.jsonl")).toEqual(["trained_on.jsonl", undefined]);
    expect(chosen("alpaca.json", "README.md", ".cache/x.json")).toEqual(["alpaca.json", undefined]);
    expect(chosen("rows.jsonl", "test.jsonl")).toEqual(["rows.jsonl", undefined]);
  });

  it("are one each, or named: of many, none is guessed", () => {
    expect(() => chosen("train-1.jsonl", "train-2.jsonl")).toThrow(
      "has 2 sets of rows that may be meant. Give one of them: a/b/train-1.jsonl, a/b/train-2.jsonl",
    );
    expect(wantedData("a/b", files("x/train.jsonl", "y/train.jsonl", "y/val.jsonl"), "y")).toMatchObject({
      train: [{ path: "y/train.jsonl" }],
      valid: [{ path: "y/val.jsonl" }],
    });
    expect(wantedData("a/b", files("x/rows.json", "y.jsonl"), "x/rows.json")).toMatchObject({
      train: [{ path: "x/rows.json" }],
      valid: undefined,
    });
    expect(() => wantedData("a/b", files("x.jsonl"), "z")).toThrow("has no z. It holds x.jsonl.");
  });

  it("are all that a split was cut into, in their order, if none is missing", () => {
    const cut = (split: string, numbers: number[], count: number) =>
      numbers.map((no) => `${split}-${String(no).padStart(5, "0")}-of-${String(count).padStart(5, "0")}.parquet`);
    const train = cut("data/train", [0, 1, 2], 3);
    const valid = cut("data/validation", [0, 1], 2);
    expect(chosen(train[2]!, valid[1]!, train[0]!, "data/test-00000-of-00001.parquet", valid[0]!, train[1]!)).toEqual([train, valid]);
    expect(() => chosen(train[0]!, train[2]!)).toThrow("has 2 files of data/train, and not all that there should be");
    expect(() => chosen(train[0]!, train[2]!)).toThrow(UsageError);
    const hashed = ["0123456789abcdef", "fedcba9876543210"].map((hash) => `data/train-00000-of-00001-${hash}.parquet`);
    expect(chosen(hashed[0]!)).toEqual([hashed[0], undefined]);
    expect(() => chosen(...hashed)).toThrow("or one twice");
    const converted = ["default/train/0000.parquet", "default/train/0001.parquet"];
    expect(chosen(converted[1]!, "default/test/0000.parquet", converted[0]!)).toEqual([converted, undefined]);
  });

  it("are named by what stands before their numbers, or by their folder", () => {
    const two = ["data/train_gen-00000-of-00001.parquet", "data/train_sft-00000-of-00002.parquet", "data/train_sft-00001-of-00002.parquet"];
    expect(() => chosen(...two)).toThrow("has 2 sets of rows that may be meant. Give one of them: a/b/data/train_gen, a/b/data/train_sft");
    expect(wantedData("a/b", files(...two), "data/train_sft")).toEqual({ train: files(...two).slice(1), valid: undefined });
    const parts = ["main/train-00000-of-00001.parquet", "socratic/train-00000-of-00001.parquet"];
    expect(() => chosen(...parts)).toThrow("Give one of them: a/b/main, a/b/socratic");
  });

  it("are JSON Lines if there are any, then JSON, then parquet", () => {
    const all = ["train.parquet", "train.json", "train.jsonl"];
    for (const count of [3, 2, 1]) expect(chosen(...all.slice(0, count))).toEqual([all[count - 1], undefined]);
  });

  it("in other formats are refused with the command that converts them", () => {
    for (const path of ["data/train.arrow", "train.csv", "rows.jsonl.gz"]) expect(() => chosen(path)).toThrow('load_dataset("a/b"');
    expect(() => wantedData("a/b", files("train.arrow"), "train.arrow")).toThrow("has its rows as .arrow");
    expect(() => chosen("README.md")).toThrow("has no .jsonl, no .json and no .parquet with rows. It holds README.md.");
  });
});
