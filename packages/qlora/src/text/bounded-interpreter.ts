// @huggingface/jinja's interpreter with an end: it counts what a template makes it do. Templates come with models from strangers, and a few nested loops, or a
// text that is doubled a few times, would take for ever or fill the memory. The count is of work and not of time, so that it is the same everywhere.
import { Interpreter } from "@huggingface/jinja";

/** Some seconds; a conversation of a thousand turns takes a tenth of it or less. */
const MOST_WORK = 1_000_000;
/** Characters, and items of a list, that cost what one step does. */
const [CHARACTERS, ITEMS] = [256, 32];

interface Node {
  readonly type: string;
  /** What a loop goes through; `for x in list if …` has the list on the left of a selection. */
  readonly iterable?: { readonly type: string; readonly lhs?: object };
}

/** The library's class, in the words that its types would have if they could be found. */
const Base = Interpreter as unknown as new (
  environment: object,
) => {
  evaluate(node: Node | undefined, environment: object): { readonly value: unknown };
  run(program: object): { readonly value: unknown };
};

export class BoundedInterpreter extends Base {
  #work = 0;
  /** Expressions whose items loops go through: there each item is a step. */
  readonly #looped = new WeakSet<object>();

  constructor(
    environment: object,
    readonly mostWork = MOST_WORK,
  ) {
    super(environment);
  }

  override evaluate(node: Node | undefined, environment: object): { readonly value: unknown } {
    this.#spend(1);
    if (node?.iterable) this.#looped.add((node.iterable.type === "SelectExpression" && node.iterable.lhs) || node.iterable);
    const result = super.evaluate(node, environment);
    const { value } = result;
    if (typeof value === "string") this.#spend(value.length / CHARACTERS);
    else {
      const items = Array.isArray(value) ? value.length : value instanceof Map ? value.size : 0;
      this.#spend(node && this.#looped.has(node) ? items : items / ITEMS);
    }
    return result;
  }

  #spend(steps: number): void {
    this.#work += steps;
    if (this.#work > this.mostWork) throw new Error(`it takes more than ${this.mostWork} steps`);
  }
}
