// The loss of each step as a line, and the validation loss as dots. The line is SVG stretched over the plot; numbers and dots are HTML laid over it, so
// that they are not stretched.
export interface LossPoint {
  readonly step: number;
  readonly loss: number;
}

export interface Losses {
  /** Steps of the whole run. */
  readonly steps: number;
  readonly training: readonly LossPoint[];
  readonly validation: readonly LossPoint[];
}

const TICKS = 4;

export function drawLossCurve(plot: HTMLElement, { steps, training, validation }: Losses): void {
  const most = Math.max(1, ...training.map(({ loss }) => loss), ...validation.map(({ loss }) => loss));
  const tick = niceStep(most / TICKS);
  const top = tick * Math.ceil(most / tick);
  const x = (step: number): number => (100 * step) / steps;
  const y = (loss: number): number => 100 - (100 * loss) / top;

  const points = training.map(({ step, loss }) => `${x(step).toFixed(2)},${y(loss).toFixed(4)}`);
  plot.querySelector("polyline")!.setAttribute("points", points.join(" "));

  const marks: HTMLElement[] = [];
  for (let loss = 0; loss <= top + tick / 2; loss += tick) marks.push(mark("tick-y", loss.toFixed(tick < 1 ? 1 : 0), { top: y(loss) }));
  for (const step of [0, steps / 2, steps]) marks.push(mark("tick-x", String(Math.round(step)), { left: x(step) }));
  for (const { step, loss } of validation) marks.push(mark("dot", "", { left: x(step), top: y(loss) }));
  plot.querySelector(".marks")!.replaceChildren(...marks);

  plot.setAttribute("aria-label", inWords({ steps, training, validation }));
}

/** 1, 2 or 5 times a power of ten, at least this. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((n) => n * power >= least * 0.999)!;
}

function mark(kind: string, text: string, place: { readonly left?: number; readonly top?: number }): HTMLElement {
  const element = document.createElement("span");
  element.className = kind;
  element.textContent = text;
  if (place.left !== undefined) element.style.left = `${place.left}%`;
  if (place.top !== undefined) element.style.top = `${place.top}%`;
  return element;
}

function inWords({ steps, training, validation }: Losses): string {
  const [first, last] = [training[0], training.at(-1)];
  const learnt =
    first && last ? `Loss ${first.loss.toFixed(2)} at step ${first.step}, ${last.loss.toFixed(2)} at step ${last.step} of ${steps}.` : "";
  const measured = validation.map(({ step, loss }) => `Validation loss ${loss.toFixed(2)} after ${step} steps.`);
  return ["Loss curve.", learnt, ...measured].filter(Boolean).join(" ");
}
