// Which adapter a run trains: a new one by the options, or one that is there already, whose own settings then hold.
import type { ModelConfig } from "../../config/model-config.ts";
import { linearModules } from "../../config/model-parts.ts";
import { wholeTensors } from "../../config/savable-tensors.ts";
import { UsageError } from "../../error.ts";
import { loraTargets, shortestNames } from "../../formats/lora-targets.ts";
import { openFolder } from "../../formats/node-folder.ts";
import { openAdapter } from "../../formats/open-adapter.ts";
import { type LoraSettings, loraSettings, parsePeftConfig } from "../../formats/peft-config.ts";
import { halved } from "../../lora/residual.ts";
import { didYouMean } from "../../nearest-name.ts";
import { adapterKind } from "../adapter-kind-options.ts";
import type { GivenOptions } from "./run-options.ts";

/** The output head, which is not adapted. */
const HEAD = "lm_head";

/**
 * Settings of a new adapter. Layers are named in full, so that every tool that reads PEFT folders finds them.
 * @throws UsageError if a target names no layer
 */
export function newLora(options: GivenOptions, config: ModelConfig, baseModel: string): LoraSettings {
  const { rank, alpha, dropout, targets } = options;
  const modules = linearModules(config).map(({ name }) => name);
  const named = typeof targets === "string" ? null : targets; // the one word there is: all-linear
  checkTargets(targets, config);
  const isTarget = (module: string): boolean => !named || named.some((target) => module === target || module.endsWith(`.${target}`));
  const targetModules = shortestNames(modules.filter(isTarget), [...modules.filter((module) => !isTarget(module)), HEAD]);
  const taskType = config.kind === "t5" ? "SEQ_2_SEQ_LM" : "CAUSAL_LM";
  const fanInFanOut = linearModules(config).some(({ transposed }) => transposed);
  const settings = loraSettings({ rank, alpha, dropout, targetModules, taskType, baseModel, fanInFanOut, ...adapterKind(options) });
  wholeTensors(settings, config, new Set(), "--modules-to-save");
  checkKind(settings);
  return settings;
}

const CONFIG_FLAG = "--adapter-config";

/**
 * Settings of a new adapter that a file of PEFT's gives.
 * @param text the file's JSON
 * @throws UsageError, FormatError as `parsePeftConfig`; if it names what is no linear layer; and if an option is given that the file answers
 */
export function configuredLora(text: string, given: ReadonlySet<string>, config: ModelConfig, baseModel: string): LoraSettings {
  const answered = ANSWERED.find(([name]) => given.has(name));
  if (answered) throw new UsageError(answered[1], `is given, and the file of ${CONFIG_FLAG} has its own. Leave one out.`);
  const { settings: stored } = parsePeftConfig(CONFIG_FLAG, JSON.parse(text), { toBegin: true });
  const modules = linearModules(config).map(({ name }) => name);
  if (typeof stored.targetModules !== "string") checkTargets([...stored.targetModules], config, CONFIG_FLAG);
  if (loraTargets(stored, modules, CONFIG_FLAG).length === 0)
    throw new UsageError(
      CONFIG_FLAG,
      "names no linear layer of the model. See its target_modules, exclude_modules and layers_to_transform.",
    );
  const taskType = config.kind === "t5" ? "SEQ_2_SEQ_LM" : "CAUSAL_LM";
  const settings = { ...stored, taskType, baseModel, fanInFanOut: linearModules(config).some(({ transposed }) => transposed) } as const;
  wholeTensors(settings, config, new Set(), CONFIG_FLAG);
  checkKind(settings);
  return settings;
}

function checkKind({ init, useDora, useRslora, rankPattern }: LoraSettings): void {
  if (!init.startsWith("pissa")) return;
  const other = useDora ? "--dora" : useRslora && rankPattern.length > 0 ? "--rslora with ranks by pattern" : undefined;
  if (other === undefined) return;
  const what = `is ${init}, which is saved as plain LoRA over the untouched base, and that cannot be done with ${other}. Leave one out.`;
  throw new UsageError("--init", what, { init });
}

/** @throws UsageError if a target names no layer, with the nearest that there is */
export function checkTargets(targets: GivenOptions["targets"], config: ModelConfig, where = "--targets"): void {
  if (typeof targets === "string") return;
  const modules = linearModules(config).map(({ name }) => name);
  const ends = [...new Set(modules.map((module) => module.slice(module.lastIndexOf(".") + 1)))];
  const unknown = targets.find((target) => !modules.some((module) => module === target || module.endsWith(`.${target}`)));
  if (unknown === undefined) return;
  const what = `"${unknown}" names no linear layer of the model.${didYouMean(unknown, ends)} Give all-linear, or some of ${ends.join(", ")}.`;
  throw new UsageError(where, what, { target: unknown });
}

/** Options that an adapter which is there has answered. */
const OWN = [
  ["targets", "--targets"],
  ["dora", "--dora"],
  ["rslora", "--rslora"],
  ["init", "--init"],
  ["modulesToSave", "--modules-to-save"],
  ["bias", "--bias"],
] as const;
const ANSWERED = [["rank", "--rank"], ["alpha", "--alpha"], ["dropout", "--dropout"], ...OWN] as const;

/**
 * Settings of an adapter that is there.
 * @throws UsageError as `openPeftAdapter`, and if an option that was given says otherwise
 */
export async function storedLora(
  path: string,
  options: GivenOptions,
  given: ReadonlySet<string>,
  config: ModelConfig,
  baseModel: string,
): Promise<LoraSettings> {
  const stored = await openAdapter(await openFolder(path), config);
  await stored.close();
  const settings = stored.residual ? { ...halved(stored.settings), init: "pissa" as const } : stored.settings;
  for (const name of ["rank", "alpha"] as const) {
    if (given.has(name) && options[name] !== settings[name]) {
      const what = `is ${options[name]}, and the adapter ${path} has ${settings[name]}. Leave it out, or start without --adapter.`;
      throw new UsageError(`--${name}`, what, { given: options[name], adapter: settings[name] });
    }
  }
  for (const [name, flag] of [...OWN, ["adapterConfig", CONFIG_FLAG] as const])
    if (given.has(name))
      throw new UsageError(flag, `is given, and the adapter ${path} has its own. Leave it out, or start without --adapter.`);
  return { ...settings, baseModel, ...(given.has("dropout") ? { dropout: options.dropout } : {}) };
}
