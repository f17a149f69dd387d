// The worker: everything that computes is here, so the page stays quick, and work goes on while the page is hidden. Between any two steps it hears commands.
import { DeviceLostError } from "@qlora-js/core";
import { type Kept, Lesson } from "./lesson.ts";
import type { BackendName, Command, DeviceName, Measured, Report, Settings } from "./messages.ts";
import { nextTurn } from "./next-turn.ts";
import { type OpenBackend, openBackend } from "./open-backend.ts";

/** Answers are asked for again while training when they took less than this share of the time since. */
const LOOKING_SHARE = 0.15;

/** A device may be lost at any time: so many steps are done again at most. */
const KEEP_EVERY = 5;

const say = (report: Report): void => globalThis.postMessage(report);

/** What was commanded and not done yet. */
class Inbox {
  /** Steps that may be taken: 0 is a pause, Infinity is play. */
  allowed = 0;
  readonly questions: string[] = [];
  #wake = (): void => {};

  take(command: Exclude<Command, { readonly type: "open" }>): void {
    if (command.type === "ask") this.questions.push(command.question);
    else this.allowed = { play: Number.POSITIVE_INFINITY, pause: 0, step: 1 }[command.type];
    this.#wake();
  }

  news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

const inbox = new Inbox();

globalThis.onmessage = ({ data }: MessageEvent<Command>) => {
  if (data.type !== "open") inbox.take(data);
  else
    run(data.settings).catch((error: unknown) => {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      say({ type: "failed", name, message });
    });
};

/** Teaches for ever. A device that is lost is replaced by a new one; if that is lost before another step was kept, by WebAssembly. */
async function run(settings: Settings): Promise<void> {
  const notebook = new Notebook();
  let lostAt = -1;
  for (let wanted = settings.backend; ; ) {
    try {
      await teach(wanted, settings, notebook);
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error;
      const { step } = notebook;
      wanted = step === lostAt ? "wasm" : (notebook.device ?? wanted);
      lostAt = step;
      say({ type: "lost", kept: step });
    }
  }
}

/** What outlives a device. */
class Notebook {
  kept: Kept | undefined;
  /** What computed last: it is not chosen anew. */
  device: DeviceName | undefined;

  get step(): number {
    return this.kept?.step ?? 0;
  }
}

async function teach(wanted: BackendName, settings: Settings, notebook: Notebook): Promise<void> {
  say({ type: "doing", what: "loading the model" });
  const open = await openBackend(wanted);
  const { backend, device, ahead, workspace } = open;
  notebook.device = device.backend;
  try {
    const lesson = await Lesson.open(backend, settings, new URL("./micro/", import.meta.url), notebook.kept);
    const { parameters, adapter, data } = lesson;
    const { questions, samples } = data;
    const sizes = { parameters, trained: adapter.parameterCount, rows: data.train.length, validRows: data.valid.length };
    say({ type: "opened", device, ...sizes, samples, questions, memory: lesson.memory(workspace) });
    if (ahead) {
      lesson.rehearse((...op) => ahead.note(...op));
      await ahead.compile((done, of) => say({ type: "doing", what: `compiling ${done} of ${of} kernels` }));
    }
    await new Teacher(lesson, open, notebook).run();
  } finally {
    backend.dispose();
  }
}

class Teacher {
  #step: number;
  #learning = false;
  /** When answers were last asked for, after how many steps, and how long they took, in milliseconds. */
  #looked = { at: 0, took: 0, step: -1 };

  constructor(
    readonly lesson: Lesson,
    readonly open: OpenBackend,
    readonly notebook: Notebook,
  ) {
    this.#step = notebook.step;
  }

  get backend(): OpenBackend["backend"] {
    return this.open.backend;
  }

  get #ended(): boolean {
    return this.#step === this.lesson.settings.steps;
  }

  /** For ever: does what the inbox holds, and waits when it holds nothing. */
  async run(): Promise<void> {
    if (this.notebook.kept) this.#learning = true;
    else await this.#begin();
    this.backend.resetPeak();
    for (;;) {
      await nextTurn();
      const [question] = inbox.questions;
      if (question !== undefined) await this.#ask(question);
      else if (inbox.allowed > 0 && !this.#ended) await this.#learn();
      else if (this.#learning) await this.#rest();
      else await inbox.news();
    }
  }

  async #begin(): Promise<void> {
    await this.#answers();
    await this.#validate();
    await this.#keep();
    say({ type: "paused", step: 0 });
  }

  async #learn(): Promise<void> {
    this.#learning = true;
    const done = await this.lesson.step();
    if (!done) throw new Error("the run has no more steps");
    inbox.allowed--;
    this.#step = done.step;
    say({ type: "step", memory: this.#measured(), ...done });
    if (this.#step % KEEP_EVERY === 0) await this.#keep();
    const { at, took } = this.#looked;
    if (took < LOOKING_SHARE * (performance.now() - at)) await this.#answers();
  }

  #measured(): Measured {
    const textures = this.open.textureBytes?.();
    const { liveBytes, peakBytes } = this.backend.memory();
    return textures ? { ...textures, inTextures: true } : { live: liveBytes, peak: peakBytes, inTextures: false };
  }

  /** What is said when learning stops, for now or for good. */
  async #rest(): Promise<void> {
    this.#learning = false;
    await this.#keep();
    if (this.#looked.step !== this.#step) await this.#answers();
    if (this.#ended) await this.#validate();
    say({ type: this.#ended ? "finished" : "paused", step: this.#step });
  }

  /** WebAssembly is not lost. */
  async #keep(): Promise<void> {
    if (this.backend.name !== "cpu" && this.notebook.kept?.step !== this.#step) this.notebook.kept = await this.lesson.keep();
  }

  async #answers(): Promise<void> {
    const start = performance.now();
    const answers: string[] = [];
    for (const question of this.lesson.data.questions) {
      if (this.#step === 0) say({ type: "doing", what: "asking three questions" });
      answers.push(await this.lesson.answer(question));
      await nextTurn();
    }
    const now = performance.now();
    this.#looked = { at: now, took: now - start, step: this.#step };
    say({ type: "answers", step: this.#step, answers });
  }

  async #validate(): Promise<void> {
    const loss = await this.lesson.validation((share) => {
      say({ type: "doing", what: `measuring on questions it does not learn from, ${Math.round(100 * share)} %` });
      return nextTurn();
    });
    say({ type: "validation", step: this.#step, loss });
  }

  async #ask(question: string): Promise<void> {
    const before = await this.lesson.answer(question, { withAdapter: false });
    const now = await this.lesson.answer(question);
    inbox.questions.shift();
    say({ type: "asked", question, before, now });
  }
}
