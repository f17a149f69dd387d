// As much of vitest as the conformance tests use, to run them where vitest is not: in a browser. The bundle has it in vitest's place.
type Body = () => unknown;

interface Group {
  readonly title: string;
  readonly before: Body[];
  readonly afterEach: Body[];
  readonly after: Body[];
  readonly parts: (Group | { readonly title: string; readonly body: Body })[];
}

export interface Outcome {
  readonly passed: number;
  /** Title and message of each that failed. */
  readonly failed: readonly string[];
}

const group = (title: string): Group => ({ title, before: [], afterEach: [], after: [], parts: [] });

const root = group("");
let current = root;

export function describe(title: string, body: () => void): void {
  const outer = current;
  current = group(`${outer.title} ${title}`.trim());
  outer.parts.push(current);
  body();
  current = outer;
}
export const test = (title: string, body: Body): void => void current.parts.push({ title: `${current.title} ${title}`, body });
export const beforeAll = (body: Body): void => void current.before.push(body);
export const afterEach = (body: Body): void => void current.afterEach.push(body);
export const afterAll = (body: Body): void => void current.after.push(body);

/** Runs all that was described. `onTest` hears each title before it runs. */
export async function runTests(onTest: (title: string) => void): Promise<Outcome> {
  let passed = 0;
  const failed: string[] = [];
  const attempt = async (title: string, bodies: readonly Body[]): Promise<boolean> => {
    try {
      for (const body of bodies) await body();
      return true;
    } catch (error) {
      failed.push(`${title}: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  };
  const run = async ({ title, before, afterEach, after, parts }: Group, eachOuter: readonly Body[]): Promise<void> => {
    const each = [...afterEach, ...eachOuter];
    if (await attempt(title, before)) {
      for (const part of parts) {
        if ("parts" in part) await run(part, each);
        else {
          onTest(part.title);
          if (await attempt(part.title, [part.body, ...each])) passed++;
        }
      }
    }
    await attempt(title, after);
  };
  await run(root, []);
  return { passed, failed };
}

/** The matchers that are used; another one is a TypeError. */
export function expect(got: unknown, what = "") {
  const must = (holds: boolean, wanted: string): void => {
    if (!holds) throw new Error(`${what} ${String(got)} ${wanted}`.trim());
  };
  return {
    toBe: (want: unknown) => must(Object.is(got, want), `is not ${String(want)}`),
    toEqual: (want: unknown) => must(isSame(got, want), `is not equal to ${JSON.stringify(want)?.slice(0, 200)}`),
    toBeInstanceOf: (type: new (...args: never[]) => unknown) => must(got instanceof type, `is not of ${type.name}`),
    toMatchObject: (want: object) => {
      for (const [name, value] of Object.entries(want)) must(isSame((got as Record<string, unknown>)[name], value), `has another ${name}`);
    },
  };
}
expect.fail = (message: string): never => {
  throw new Error(message);
};

/** As toEqual: part by part, NaN like NaN, and −0 unlike 0. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const [left, right] = [a, b].map((value) => value as Record<string, unknown>) as [Record<string, unknown>, Record<string, unknown>];
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => isSame(left[name], right[name]));
}
