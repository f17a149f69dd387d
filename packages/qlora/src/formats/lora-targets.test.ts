import { FormatError } from "@qlora-js/core";
import { describe, expect, test } from "vitest";
import { UsageError } from "../error.ts";
import { loraTargets, shortestNames } from "./lora-targets.ts";
import { type LoraSettings, loraSettings } from "./peft-config.ts";

const PROJECTIONS = [
  "self_attn.q_proj",
  "self_attn.k_proj",
  "self_attn.v_proj",
  "self_attn.o_proj",
  "mlp.gate_proj",
  "mlp.up_proj",
  "mlp.down_proj",
];
const modulesOf = (layers: number) => Array.from({ length: layers }, (_, i) => PROJECTIONS.map((p) => `model.layers.${i}.${p}`)).flat();
const settings = (given: Partial<LoraSettings>) => loraSettings({ rank: 4, alpha: 8, targetModules: "all-linear", ...given });
const targets = (given: Partial<LoraSettings>) => loraTargets(settings(given), modulesOf(2), "f");
const names = (given: Partial<LoraSettings>) => targets(given).map(({ module }) => module.replace("model.layers.", ""));

describe("modules are meant by", () => {
  test.each<[string, Partial<LoraSettings>, string[]]>([
    [
      "the end of their names",
      { targetModules: ["q_proj", "mlp.up_proj"] },
      ["0.self_attn.q_proj", "0.mlp.up_proj", "1.self_attn.q_proj", "1.mlp.up_proj"],
    ],
    ["their whole names", { targetModules: ["model.layers.1.mlp.down_proj"] }, ["1.mlp.down_proj"]],
    ["an end after a dot only", { targetModules: ["_proj", "proj"] }, []],
    ["a pattern for the whole name", { targetModules: ".*\\.1\\.mlp\\.(up|down)_proj" }, ["1.mlp.up_proj", "1.mlp.down_proj"]],
    ["a pattern that fits a part: none", { targetModules: "q_proj" }, []],
    ["the number of their layer", { targetModules: ["q_proj"], layersToTransform: [1, 7] }, ["1.self_attn.q_proj"]],
    [
      "a layer under its name",
      { targetModules: ["q_proj"], layersToTransform: [0], layersPattern: ["h", "layers"] },
      ["0.self_attn.q_proj"],
    ],
    ["a layer under another name: none", { targetModules: ["q_proj"], layersToTransform: [0], layersPattern: ["h"] }, []],
    ["an empty list: none", { targetModules: [] }, []],
  ])("%s", (_, given, expected) => {
    expect(names(given)).toEqual(expected);
  });

  test("all-linear, however it is spelt", () => {
    expect(names({ targetModules: "All-Linear" })).toHaveLength(14);
  });

  test("and not by a name or pattern that excludes them", () => {
    expect(names({ excludeModules: ["mlp.up_proj", "o_proj"] })).toHaveLength(10);
    expect(names({ excludeModules: ".*layers\\.0.*" })).toHaveLength(7);
  });

  test("a layer's name that is a pattern is refused", () => {
    expect(() => names({ targetModules: ["q_proj"], layersToTransform: [0], layersPattern: ["(h|layers)"] })).toThrow(UsageError);
  });

  test("a pattern that cannot be read is refused", () => {
    expect(() => names({ targetModules: "(" })).toThrow(FormatError);
    expect(() => names({ rankPattern: [["(", 2]] })).toThrow(FormatError);
  });
});

describe("rank and scale", () => {
  test("are the first pattern's that matches the end of the name, else the adapter's", () => {
    const given: Partial<LoraSettings> = {
      targetModules: ".*\\.(q_proj|down_proj)$",
      rankPattern: [
        ["down_proj", 2],
        ["layers\\.0\\.self_attn\\.q_proj", 6],
        ["q_proj", 5],
      ],
      alphaPattern: [["q_proj", 3]],
    };
    expect(targets(given).map(({ rank, alpha, scale }) => [rank, alpha, scale])).toEqual([
      [6, 3, 3 / 6],
      [2, 8, 8 / 2],
      [5, 3, 3 / 5],
      [2, 8, 8 / 2],
    ]);
  });

  test("are alpha over the root of the rank for rsLoRA", () => {
    expect(targets({ useRslora: true, targetModules: ["q_proj"] })[0]?.scale).toBe(8 / Math.sqrt(4));
  });
});

describe("a choice of modules is named", () => {
  test("in full below twenty", () => {
    expect(shortestNames(modulesOf(2), [])).toEqual(modulesOf(2).sort());
  });

  test("by the shortest ends that no other has, from twenty on", () => {
    expect(shortestNames(modulesOf(3), ["lm_head"])).toEqual(["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]);
    const chosen = modulesOf(4).filter((m) => !m.startsWith("model.layers.0"));
    expect(shortestNames(chosen, ["model.layers.0.mlp.up_proj"])).toContain("1.mlp.up_proj");
  });

  test("so that the names mean these modules again", () => {
    const all = modulesOf(30);
    for (const chosen of [all, all.filter((m) => m.endsWith("q_proj")), all.filter((m) => !m.includes(".7."))]) {
      const targetModules = shortestNames(
        chosen,
        all.filter((m) => !chosen.includes(m)),
      );
      expect(loraTargets(settings({ targetModules }), all, "f").map(({ module }) => module)).toEqual(chosen);
    }
  });
});
