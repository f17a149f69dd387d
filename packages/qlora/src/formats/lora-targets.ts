// Which modules of a model an adapter's settings mean, with the rank and scale of each: PEFT's rules (`check_target_module_exists`,
// `get_pattern_key` of 0.21). Also the shortest way to name a choice of modules.
import { UsageError } from "../error.ts";
import { PatternMatcher } from "./module-pattern.ts";
import { ALL_LINEAR, type LoraSettings } from "./peft-config.ts";
import { quoted } from "./quoted.ts";

/** How one module is adapted: y += scale · B(A(x)). */
export interface LoraTarget {
  readonly module: string;
  readonly rank: number;
  readonly alpha: number;
  readonly scale: number;
}

/**
 * The modules that settings mean, among those a model has, in the model's order. The output head is not to be among them.
 * @param file name for errors
 * @throws FormatError for a pattern that cannot be read or takes too long
 */
export function loraTargets(settings: LoraSettings, modules: readonly string[], file: string): LoraTarget[] {
  const matcher = new PatternMatcher(file);
  return modules.filter((module) => isTarget(settings, module, file, matcher)).map((module) => targetOf(settings, module, matcher));
}

function targetOf(s: LoraSettings, module: string, matcher: PatternMatcher): LoraTarget {
  const first = (patterns: LoraSettings["rankPattern"]) => patterns.find(([pattern]) => matcher.matchesEnd(pattern, module))?.[1];
  const rank = first(s.rankPattern) ?? s.rank;
  const alpha = first(s.alphaPattern) ?? s.alpha;
  return { module, rank, alpha, scale: s.useRslora ? alpha / Math.sqrt(rank) : alpha / rank };
}

function isTarget(s: LoraSettings, module: string, file: string, matcher: PatternMatcher): boolean {
  if (s.excludeModules !== undefined && isNamed(s.excludeModules, module, matcher)) return false;
  if (typeof s.targetModules === "string")
    return s.targetModules.toLowerCase() === ALL_LINEAR || matcher.fullMatch(s.targetModules, module);
  if (!isNamed(s.targetModules, module, matcher)) return false;
  return s.layersToTransform === undefined || s.layersToTransform.includes(layerOf(s.layersPattern, module, file) ?? -1);
}

/** A text is a pattern for the whole name; a list holds names, or what follows one of their dots. */
function isNamed(names: string | readonly string[], module: string, matcher: PatternMatcher): boolean {
  if (typeof names === "string") return matcher.fullMatch(names, module);
  const ends = endsOf(module);
  return names.some((name) => ends.includes(name));
}

/** The number that follows the name of the list of layers: `model.layers.3.mlp.up_proj` → 3. */
function layerOf(names: readonly string[] | undefined, module: string, file: string): number | undefined {
  const odd = names?.find((name) => !/^[\w.]+$/.test(name));
  if (odd !== undefined)
    throw new UsageError(file, `layers_pattern ${quoted(odd)} is not supported. Plain names such as "layers" are.`, { value: odd });
  const parts = module.split(".");
  const isLayer = (i: number) => names === undefined || names.some((name) => `.${parts.slice(0, i).join(".")}`.endsWith(`.${name}`));
  // Without names PEFT's rule asks for two parts before the number, and for one after it.
  const at = parts.findIndex((part, i) => i >= (names ? 1 : 2) && i < parts.length - 1 && /^\d+$/.test(part) && isLayer(i));
  return at < 0 ? undefined : Number(parts[at]);
}

/** From this number on PEFT names modules by the shortest ends that tell them from others. */
const MANY = 20;

/**
 * How to name a choice of modules in a config: in full, or from twenty on by the shortest ends that no other module has. Sorted.
 * @param others the model's modules that are not chosen
 */
export function shortestNames(chosen: readonly string[], others: readonly string[]): string[] {
  if (chosen.length < MANY) return [...chosen].sort();
  const taken = new Set(others.flatMap(endsOf));
  const names = chosen.map((module) => endsOf(module).find((end) => !taken.has(end)) ?? module);
  return [...new Set(names)].sort();
}

/** What follows each dot of a name, shortest first, and the whole. */
function endsOf(module: string): string[] {
  const parts = module.split(".");
  return parts.map((_, i) => parts.slice(parts.length - 1 - i).join("."));
}
