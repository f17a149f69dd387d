// How much each layer keeps for the backward pass, under a budget of memory: the fastest choice that fits. Products are dear to compute and small to keep, so
// they are kept first, in as many layers as there is room for; all the rest, which is cheap to compute and large, only where there is plenty.
import type { ModelConfig } from "../config/model-config.ts";
import type { Recomputation } from "../nn/forward-pass.ts";
import { type Forecast, type ForecastOptions, forecast } from "./forecast.ts";

/** What a run may take, and where that number comes from. */
export interface MemoryBudget {
  /** What the whole process may take. */
  readonly totalBytes: number;
  /** What the device can hold; the CPU backend's memory has addresses for 4 GiB. */
  readonly deviceBytes: number;
  /** Everything is kept where the whole process stays within this. */
  readonly roomyBytes: number;
}

/** How much each layer keeps for the backward pass, and what the run takes then. */
export interface RecomputeChoice {
  /** One a layer. */
  readonly recompute: readonly Recomputation[];
  readonly forecast: Forecast;
  /** Whether it is within the budget; if not, it is the choice that takes least. */
  readonly fits: boolean;
}

export const fitsBudget = ({ totalBytes, deviceBytes }: Forecast, budget: MemoryBudget): boolean =>
  totalBytes <= budget.totalBytes && deviceBytes <= budget.deviceBytes;

/** The fastest choice within the budget, or the smallest if none is. @throws as `forecast` */
export function chooseRecompute(config: ModelConfig, options: Omit<ForecastOptions, "recompute">, budget: MemoryBudget): RecomputeChoice {
  const search = new Search(config, options, budget);
  const { cheap } = search;
  if (cheap.fits) {
    const roomy = { ...budget, totalBytes: Math.min(budget.totalBytes, budget.roomyBytes) };
    return fitsBudget(cheap.forecast, roomy) ? new Search(config, options, roomy).most("nothing", "cheap") : cheap;
  }
  return search.most("cheap", "all");
}

class Search {
  constructor(
    readonly config: ModelConfig,
    readonly options: Omit<ForecastOptions, "recompute">,
    readonly budget: MemoryBudget,
  ) {}

  get cheap(): RecomputeChoice {
    return this.#choice("cheap", "cheap", 0);
  }

  /** As many layers of the faster kind as fit, the others of the smaller; the last layers first, whose turn in the backward pass comes first. */
  most(faster: Recomputation, smaller: Recomputation): RecomputeChoice {
    const none = this.#choice(faster, smaller, 0);
    // one layer of the faster kind may take less than none: the last, which is not computed again while all the others' tensors are there
    const one = this.#choice(faster, smaller, 1);
    if (!one.fits) return none.fits || none.forecast.totalBytes <= one.forecast.totalBytes ? none : one;
    let best = one;
    let [low, high] = [1, this.config.layers];
    while (low < high) {
      const count = Math.ceil((low + high) / 2);
      const choice = this.#choice(faster, smaller, count);
      if (choice.fits) [low, best] = [count, choice];
      else high = count - 1;
    }
    return best;
  }

  #choice(faster: Recomputation, smaller: Recomputation, count: number): RecomputeChoice {
    const { layers } = this.config;
    const recompute = Array.from({ length: layers }, (_, i) => (i < layers - count ? smaller : faster));
    const predicted = forecast(this.config, { ...this.options, recompute });
    return { recompute, forecast: predicted, fits: fitsBudget(predicted, this.budget) };
  }
}

/** `products kept in 18 layers, all recomputed in 12`: what a choice means, for a person. */
export function recomputeWords(recompute: readonly Recomputation[]): string {
  const words = { nothing: "everything kept", cheap: "products kept", all: "only inputs kept" } as const;
  const kinds = (["nothing", "cheap", "all"] as const).map((kind) => [kind, recompute.filter((r) => r === kind).length] as const);
  const present = kinds.filter(([, count]) => count > 0);
  if (present.length === 1) return `${words[present[0]![0]]} in all ${recompute.length} layers`;
  return present
    .map(([kind, count]) => `${words[kind]} in ${count}`)
    .join(", ")
    .concat(" layers");
}
