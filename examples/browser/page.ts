// The page: commands go to the worker, and what it reports is drawn, at most once a frame. Nothing is computed here.
import { drawLossCurve, type LossPoint } from "./loss-curve.ts";
import { drawMemoryBars, drawMemoryTable } from "./memory-bars.ts";
import type { Command, MemoryOf, Opened, Report } from "./messages.ts";
import { readSettings, writeSettings } from "./settings.ts";
import { count, showBytes, showSeconds } from "./wording.ts";

type Step = Extract<Report, { type: "step" }>;
type State = "loading" | "paused" | "learning" | "finished" | "failed";

/** All that is drawn of one run. A new run begins with a new one. */
class View {
  state: State = "loading";
  doing = "loading the model";
  opened: Opened | undefined;
  steps: Step[] = [];
  validation: LossPoint[] = [];
  before: readonly string[] = [];
  now: readonly string[] = [];
  answeredAt = 0;
  /** The GPU was lost, and what goes on is not there yet. */
  lost = false;
  /** What happened to the device, in words. */
  note = "";
  readonly asked: { readonly question: string; readonly before: string; readonly now: string }[] = [];

  get step(): number {
    return this.steps.at(-1)?.step ?? 0;
  }
}

const $ = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T;

const MEMORY_NOTES: Readonly<Record<MemoryOf, string>> = {
  here: "A model so small has more activations than weights, so 4 bits save little here. In large models it is the other way round: look at 7 billion.",
  large:
    "Predicted for LLaMA's shape with 7 billion parameters and a row of 512 tokens; nothing of it is loaded. This is what QLoRA is for.",
};

let settings = readSettings(new URLSearchParams(location.hash.slice(1)));
let view = new View();
let worker = start();
let drawing = false;

/** A worker of its own for each run: ending it frees everything. */
function start(): Worker {
  const made = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  const shown = view;
  made.onmessage = ({ data }: MessageEvent<Report>) => {
    if (shown !== view) return;
    take(data);
    draw();
  };
  made.onerror = (event) => {
    if (shown !== view) return;
    take({ type: "failed", name: "Error", message: event.message || "The worker's script did not load." });
    draw();
  };
  made.postMessage({ type: "open", settings } satisfies Command);
  return made;
}

function restart(): void {
  worker.terminate();
  view = new View();
  announce("Loading the model.");
  worker = start();
  draw();
}

function command(given: Command): void {
  worker.postMessage(given);
}

function take(report: Report): void {
  if (report.type === "opened") open(report);
  else if (report.type === "lost") lose(report.kept);
  else if (report.type === "doing") view.doing = report.what;
  else if (report.type === "step") {
    view.steps.push(report);
    if (view.state === "loading") view.state = "learning";
  } else if (report.type === "validation") {
    view.validation = [...view.validation.filter(({ step }) => step !== report.step), { step: report.step, loss: report.loss }];
  } else if (report.type === "asked") {
    view.asked.push(report);
    announce(`${report.question} Before: ${report.before} Now: ${report.now}`);
  } else if (report.type === "answers") {
    if (report.step === 0) view.before = report.answers;
    else view.now = report.answers;
    view.answeredAt = report.step;
  } else arrive(report);
}

function open(opened: Opened): void {
  view.opened = opened;
  if (!view.lost) return;
  view.lost = false;
  const where = opened.device.backend === "wasm" ? "with WebAssembly" : "on a new device";
  view.note = `The GPU was lost. What follows is computed ${where}, from step ${view.step} on, the last that was kept.`;
  announce(view.note);
}

/** Steps after the last that was kept are done again. */
function lose(kept: number): void {
  view.steps = view.steps.filter(({ step }) => step <= kept);
  view.validation = view.validation.filter(({ step }) => step <= kept);
  view.state = "loading";
  view.lost = true;
  announce("The GPU was lost: its driver was restarted, or the browser took it away. Starting again.");
}

/** What changes the state is said aloud, too. */
function arrive(report: Extract<Report, { type: "paused" | "finished" | "failed" }>): void {
  view.state = report.type;
  if (report.type === "failed") announce(`It stopped: ${report.message} Start again, or choose WebAssembly.`);
  else if (report.type === "finished") {
    const [before, after] = [view.validation[0], view.validation.at(-1)].map((point) => point?.loss.toFixed(3) ?? "–");
    announce(`Learnt. The loss on questions it has never seen went from ${before} to ${after}. Look at what it says now, or ask your own.`);
  } else if (report.step === 0) announce("Ready. Press Learn, or go one step at a time.");
  else announce(`Paused after step ${report.step}: loss ${view.steps.at(-1)?.loss.toFixed(3)}.`);
}

/** Into the live region: what a person who does not see the page should hear. Not each step. */
function announce(text: string): void {
  $("status").textContent = text;
}

function draw(): void {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    drawControls();
    drawAnswers();
    drawNumbers();
    drawLossCurve($("plot"), { steps: settings.steps, training: view.steps, validation: view.validation });
    if (view.opened) drawOpened(view.opened);
  });
}

function drawControls(): void {
  const { state, step } = view;
  const learn = $<HTMLButtonElement>("learn");
  learn.textContent = state === "learning" ? "Pause" : "Learn";
  learn.disabled = state !== "paused" && state !== "learning";
  $<HTMLButtonElement>("step").disabled = state !== "paused";
  $("ask").querySelector("button")!.disabled = view.before.length === 0 || state === "failed" || state === "loading";
  $("status").classList.toggle("failed", state === "failed");
  const progress = $<HTMLProgressElement>("progress");
  progress.max = settings.steps;
  progress.value = step;
  $("progress-text").textContent = state === "loading" ? view.doing : `${step} of ${settings.steps} steps`;
  document.body.dataset.state = state;
}

function drawOpened({ device, parameters, trained, samples, memory }: Opened): void {
  $("device-title").textContent = device.title;
  $("device-notes").textContent = [view.note, ...device.notes].filter(Boolean).join(" ");
  if (device.softwareOnly) $("software").hidden = false;
  for (const input of radios("backend")) input.checked = input.value === (settings.backend === "auto" ? "auto" : device.backend);
  $("batch").textContent = settings.batch === 1 ? "a question with its answer" : `${settings.batch} questions with their answers`;
  $("trained").textContent = `the ${count(trained)} numbers of the adapter`;
  $("parameters").textContent = `${count(parameters)} numbers`;
  if ($("samples").childElementCount === 0)
    $("samples").replaceChildren(
      ...samples.map(({ question, answer }) => {
        const item = document.createElement("li");
        const said = document.createElement("b");
        said.textContent = answer;
        item.append(`${question} `, said);
        return item;
      }),
    );
  const which = (radios("memory").find(({ checked }) => checked)?.value ?? "here") as MemoryOf;
  drawMemoryBars($("bars"), memory[which]);
  drawMemoryTable($("components"), memory[which]);
  $("memory-note").textContent = MEMORY_NOTES[which];
  const last = view.steps.at(-1);
  const predicted = memory.here.find(({ method }) => method === "qlora")!.deviceBytes;
  $("measured").textContent =
    which === "here" && last
      ? `Measured here: ${showBytes(last.memory.peak)} at most, ${showBytes(last.memory.live)} between steps${last.memory.inTextures ? ", in textures of 32 bits a number" : ""}. Predicted for the longest rows: ${showBytes(predicted)}${last.memory.inTextures ? ", in buffers" : ""}.`
      : "";
}

function drawAnswers(): void {
  const { before, now, asked, opened } = view;
  const rows = before.map((said, i) => ({ question: opened?.questions[i] ?? "", before: said, now: now[i] }));
  $("answers").replaceChildren(...[...rows, ...asked].map(answerRow));
  const { answeredAt } = view;
  $("now-title").textContent = answeredAt > 0 ? `After ${answeredAt} ${answeredAt === 1 ? "step" : "steps"}` : "Now";
}

function answerRow({ question, before, now }: { question: string; before: string; now: string | undefined }): HTMLElement {
  const row = document.createElement("tr");
  const asked = document.createElement("th");
  asked.scope = "row";
  asked.textContent = question;
  const said = document.createElement("td");
  said.dataset.label = "Before";
  said.append(span(before));
  const says = document.createElement("td");
  says.dataset.label = "Now";
  says.append(now === undefined ? span("–") : withNewWords(now, before));
  row.append(asked, said, says);
  return row;
}

/** The text with the words marked that the other does not have. */
function withNewWords(text: string, other: string): HTMLElement {
  const known = new Set(other.toLowerCase().match(/\p{L}+/gu));
  const whole = span("");
  for (const piece of text.split(/(\p{L}+)/u)) {
    const isNew = /\p{L}/u.test(piece) && !known.has(piece.toLowerCase());
    const part = isNew ? document.createElement("mark") : span("");
    part.textContent = piece;
    whole.append(part);
  }
  return whole;
}

function span(text: string): HTMLElement {
  const made = document.createElement("span");
  made.textContent = text;
  return made;
}

function drawNumbers(): void {
  const last = view.steps.at(-1);
  const recent = view.steps.slice(-10);
  const seconds = recent.reduce((sum, step) => sum + step.seconds, 0);
  const tokens = recent.reduce((sum, step) => sum + step.tokens, 0);
  $("loss").textContent = last ? last.loss.toFixed(3) : "–";
  $("validation").textContent = view.validation.map(({ loss }) => loss.toFixed(3)).join(" → ") || "–";
  $("speed").textContent = last ? count(Math.round(tokens / seconds)) : "–";
  $("step-time").textContent = last ? showSeconds(seconds / recent.length) : "–";
}

const radios = (name: string): HTMLInputElement[] => [...document.querySelectorAll<HTMLInputElement>(`input[name="${name}"]`)];

/** Puts the settings into the form and the address, and begins anew. */
function use(params: URLSearchParams): void {
  settings = readSettings(params);
  showSettings();
  history.replaceState(null, "", `#${writeSettings(settings)}`);
  restart();
}

function showSettings(): void {
  if (settings.backend === "webgpu:software") $("software").hidden = false;
  for (const [name, value] of Object.entries(settings)) {
    const field = $<HTMLFormElement>("settings").elements.namedItem(name);
    if (field instanceof HTMLInputElement || field instanceof RadioNodeList) field.value = String(value);
  }
}

const formParams = (): URLSearchParams =>
  new URLSearchParams([...new FormData($<HTMLFormElement>("settings"))].map(([name, value]) => [name, String(value)]));

$("learn").onclick = () => {
  const learning = view.state === "learning";
  command({ type: learning ? "pause" : "play" });
  if (!learning) {
    view.state = "learning";
    announce("Learning.");
  }
  draw();
};
$("step").onclick = () => {
  view.state = "learning";
  command({ type: "step" });
  draw();
};
$("restart").onclick = restart;
$("settings").onsubmit = (event) => {
  event.preventDefault();
  use(formParams());
};
for (const input of radios("backend")) input.onchange = () => use(formParams());
for (const input of radios("memory")) input.onchange = draw;
$("ask").onsubmit = (event) => {
  event.preventDefault();
  const field = $<HTMLInputElement>("question");
  const question = field.value.trim();
  if (question === "") return;
  command({ type: "ask", question });
  field.value = "";
};
addEventListener("hashchange", () => use(new URLSearchParams(location.hash.slice(1))));

showSettings();
draw();
