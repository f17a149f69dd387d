// The worker: everything that computes is here, so the page stays quick, and work goes on while the page is hidden. Between any two steps it hears commands.
import { Lesson } from "./lesson.ts";
import type { Command, Report, Settings } from "./messages.ts";
import { nextTurn } from "./next-turn.ts";
import { type OpenBackend, openBackend } from "./open-backend.ts";

/** Answers are asked for again while training when they took less than this share of the time since. */
const LOOKING_SHARE = 0.15;

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

async function run(settings: Settings): Promise<void> {
  say({ type: "doing", what: "loading the model" });
  const { backend, device, ahead } = await openBackend(settings.backend);
  const lesson = await Lesson.open(backend, settings, new URL("./micro/", import.meta.url));
  const { parameters, adapter, data } = lesson;
  const { questions, samples } = data;
  const sizes = { parameters, trained: adapter.parameterCount, rows: data.train.length, validRows: data.valid.length };
  say({ type: "opened", device, ...sizes, samples, questions, memory: lesson.memory() });
  if (ahead) {
    lesson.rehearse((...op) => ahead.note(...op));
    await ahead.compile((done, of) => say({ type: "doing", what: `compiling ${done} of ${of} kernels` }));
  }
  await new Teacher(lesson, backend).run();
}

class Teacher {
  #step = 0;
  #learning = false;
  #ended = false;
  /** When answers were last asked for, after how many steps, and how long they took, in milliseconds. */
  #looked = { at: 0, took: 0, step: 0 };

  constructor(
    readonly lesson: Lesson,
    readonly backend: OpenBackend["backend"],
  ) {}

  /** For ever: does what the inbox holds, and waits when it holds nothing. */
  async run(): Promise<void> {
    await this.#answers();
    await this.#validate();
    this.backend.resetPeak();
    say({ type: "paused", step: 0 });
    for (;;) {
      await nextTurn();
      const question = inbox.questions.shift();
      if (question !== undefined) await this.#ask(question);
      else if (inbox.allowed > 0 && !this.#ended) await this.#learn();
      else if (this.#learning) await this.#rest();
      else await inbox.news();
    }
  }

  async #learn(): Promise<void> {
    this.#learning = true;
    const done = await this.lesson.step();
    if (!done) throw new Error("the run has no more steps");
    inbox.allowed--;
    this.#step = done.step;
    const { liveBytes, peakBytes } = this.backend.memory();
    say({ type: "step", liveBytes, peakBytes, ...done });
    this.#ended = done.step === this.lesson.settings.steps;
    const { at, took } = this.#looked;
    if (took < LOOKING_SHARE * (performance.now() - at)) await this.#answers();
  }

  /** What is said when learning stops, for now or for good. */
  async #rest(): Promise<void> {
    this.#learning = false;
    if (this.#looked.step !== this.#step) await this.#answers();
    if (this.#ended) await this.#validate();
    say({ type: this.#ended ? "finished" : "paused", step: this.#step });
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
    say({ type: "asked", question, before, now });
  }
}
