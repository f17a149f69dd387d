// Which adapter a run trains: a new one by the options, or one that is there already, whose own settings then hold.
import type { ModelConfig } from "../../config/model-config.ts";
import { linearModules } from "../../config/model-parts.ts";
import { UsageError } from "../../error.ts";
import { shortestNames } from "../../formats/lora-targets.ts";
import { openFolder } from "../../formats/node-folder.ts";
import { openAdapter } from "../../formats/open-adapter.ts";
import { type LoraSettings, loraSettings } from "../../formats/peft-config.ts";
import { didYouMean } from "../../nearest-name.ts";
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
  return loraSettings({ rank, alpha, dropout, targetModules, taskType, baseModel });
}

/** @throws UsageError if a target names no layer, with the nearest that there is */
export function checkTargets(targets: GivenOptions["targets"], config: ModelConfig): void {
  if (typeof targets === "string") return;
  const modules = linearModules(config).map(({ name }) => name);
  const ends = [...new Set(modules.map((module) => module.slice(module.lastIndexOf(".") + 1)))];
  const unknown = targets.find((target) => !modules.some((module) => module === target || module.endsWith(`.${target}`)));
  if (unknown === undefined) return;
  const what = `"${unknown}" names no linear layer of the model.${didYouMean(unknown, ends)} Give all-linear, or some of ${ends.join(", ")}.`;
  throw new UsageError("--targets", what, { target: unknown });
}

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
  const { settings } = stored;
  for (const name of ["rank", "alpha"] as const) {
    if (given.has(name) && options[name] !== settings[name]) {
      const what = `is ${options[name]}, and the adapter ${path} has ${settings[name]}. Leave it out, or start without --adapter.`;
      throw new UsageError(`--${name}`, what, { given: options[name], adapter: settings[name] });
    }
  }
  if (given.has("targets"))
    throw new UsageError("--targets", `is given, and the adapter ${path} has its own. Leave it out, or start without --adapter.`);
  return { ...settings, baseModel, ...(given.has("dropout") ? { dropout: options.dropout } : {}) };
}
