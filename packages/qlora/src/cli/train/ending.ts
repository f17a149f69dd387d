// What train prints last: where the run is, what it took, and the next command to type.
import type { PagerCounters } from "@qlora-js/core";
import { showBytes } from "../../plan/byte-size.ts";
import type { Forecast } from "../../plan/forecast.ts";
import type { ModelFolder } from "../open-model.ts";
import type { Output } from "../output.ts";
import { shellWord, typedCommand } from "../typed-command.ts";
import { count, duration, plural } from "../wording.ts";
import type { RunEnd } from "./training-run.ts";

export interface Ending {
  readonly run: string;
  readonly data: string;
  readonly folder: ModelFolder;
  readonly end: RunEnd;
  readonly seconds: number;
  readonly forecast: Forecast;
  /** The most the backend held. */
  readonly deviceBytes: number;
  readonly pager: PagerCounters;
  /** Of the frozen weights, where they have a budget. */
  readonly weights: PagerCounters | undefined;
}

/** Says how a run ended. */
export function printEnd(output: Output, { run, data, folder, end, seconds, forecast, deviceBytes, pager, weights }: Ending): void {
  const peakResidentBytes = process.resourceUsage().maxRSS * 1024;
  const type = typedCommand();
  const [runWord, dataWord] = [shellWord(run), shellWord(data)];
  const onDevice = `${showBytes(deviceBytes)} on the device (predicted ${showBytes(forecast.deviceBytes)})`;
  output.facts("memory", `${onDevice} · ${showBytes(peakResidentBytes)} resident at most`);
  output.facts("pager", pagerWords(pager));
  if (weights) output.facts("weights", pagerWords(weights));
  if (end.interrupted) {
    const saved = end.step > 0 ? `saved after step ${count(end.step)}` : "before its first step";
    output.facts("stopped", `${run}  ${saved}`);
    output.facts("go on", `${type} train --resume ${runWord}`);
  } else {
    output.facts("saved", `${run}  adapter (PEFT) · checkpoints · metrics.jsonl · metrics.csv · manifest.json · ${duration(seconds)}`);
    const talk = folder.template ? `chat ${runWord}` : `generate ${runWord} ${folder.tokenizer ? '--prompt "…"' : "--prompt-ids 1,2,3"}`;
    output.facts("next", `${type} ${talk}   |   ${type} eval ${runWord} ${dataWord}`);
  }
  const { step, interrupted, evaluation } = end;
  const last = evaluation ? { evalLoss: evaluation.loss } : {};
  output.event("done", {
    run,
    step,
    interrupted,
    seconds,
    ...last,
    deviceBytes,
    predictedDeviceBytes: forecast.deviceBytes,
    peakResidentBytes,
    pager,
    ...(weights ? { weightsPager: weights } : {}),
  });
}

function pagerWords({ hits, faults, bytesIn, bytesOut, peakResidentBytes }: PagerCounters): string {
  const moved = `${showBytes(bytesIn)} in · ${showBytes(bytesOut)} out · ${showBytes(peakResidentBytes)} at most`;
  return `${plural(hits, "hit")} · ${plural(faults, "fault")} · ${moved}`;
}
