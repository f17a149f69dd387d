// What every backend must pass. A row of a case table says how an op is called, on what, and what it gives in float64; from it come the forward test, the
// test of its gradients, and the test that backends which promise the same bits give them.
import { createPlainBackend } from "@qlora-js/backend-cpu";
import { add, type Backend, checkpoint, grad, mul, parameter, scale, scope, sum, type Tensor } from "@qlora-js/core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROPERTY } from "./arbitraries.ts";
import { backends as allBackends, type BackendUnderTest } from "./backends.ts";
import { compute, listOf, readAll } from "./compute.ts";
import { centralDifferences } from "./gradcheck.ts";
import { useOpened } from "./on-backends.ts";
import { upload, type Value } from "./value.ts";

export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** What an op is called with. */
export interface Given<A> {
  readonly inputs: readonly Value[];
  readonly attrs: A;
}

export interface Row<A> {
  /** A sentence about behaviour. */
  readonly title: string;
  /** Literals, or an arbitrary. */
  readonly given: readonly Given<A>[] | fc.Arbitrary<Given<A>>;
  run(inputs: readonly Tensor[], attrs: A): Tensor | readonly Tensor[];
  /** The same in float64. */
  reference(inputs: readonly Value[], attrs: A): Value | readonly Value[];
  /** Of values; a few roundings of f32 by default. Whole numbers are compared exactly. */
  readonly tolerance?: Tolerance;
  /** Positions of the inputs whose gradients are compared with central differences of the reference; none by default. */
  readonly gradients?: readonly number[];
  /** Positions whose gradients are compared with those of the plain backend: for inputs too large for differences. */
  readonly comparedWithPlain?: readonly number[];
  readonly gradientTolerance?: Tolerance;
  /** How often an arbitrary is drawn. */
  readonly runs?: number;
  /** Drawn in place of `given` where programs are slow to compile: all of it takes the same ones. */
  readonly ofOneKind?: fc.Arbitrary<Given<A>>;
}

export function given(inputs: readonly Value[]): Given<object>;
export function given<A>(inputs: readonly Value[], attrs: A): Given<A>;
export function given(inputs: readonly Value[], attrs: unknown = {}): Given<unknown> {
  return { inputs, attrs };
}

/** A row of any attributes, checked against its own. */
export const row = <A>(checked: Row<A>): Row<unknown> => checked;

/** A call that is refused: by which error, and with which values in its fields. */
export interface Refusal {
  readonly title: string;
  call(backend: Backend): unknown;
  readonly error: new (...args: never[]) => Error;
  readonly fields?: Readonly<Record<string, unknown>>;
}

export interface CaseTable {
  readonly cases: readonly Row<unknown>[];
  readonly refusals?: readonly Refusal[];
}

const VALUES: Tolerance = { absolute: 1e-6, relative: 2e-6 };
const GRADIENTS: Tolerance = { absolute: 1e-5, relative: 2e-5 };

const TIMEOUT = 180_000; // the longest takes some seconds where nothing else runs

/** Fails with the first element that differs: shape, dtype, and numbers to the tolerance (NaN like NaN, infinities alike). */
export function expectClose(got: Value, want: Value, { absolute, relative }: Tolerance, what: string): void {
  expect({ shape: got.shape, dtype: got.dtype }, what).toEqual({ shape: want.shape, dtype: want.dtype });
  const exact = got.dtype === "i32" || got.dtype === "u8";
  const differs = want.data.findIndex((w, i) => {
    const g = got.data[i]!;
    if (Object.is(g, w) || g === w || exact) return g !== w && !Object.is(g, w);
    return !(Math.abs(g - w) <= absolute + relative * Math.abs(w));
  });
  if (differs >= 0) expect.fail(`${what}: element ${differs} of [${want.shape}] is ${got.data[differs]}, not ${want.data[differs]}`);
}

/** Fixed numbers between 0.5 and 1.5 of either sign: the gradient that arrives at an output. */
const seedLike = (y: Value): Value => ({ ...y, data: y.data.map((_, i) => (((i * 7919) % 1000) / 1000 + 0.5) * (i % 2 ? 1 : -1)) });

const forward = (backend: Backend, check: Row<unknown>, { inputs, attrs }: Given<unknown>): Promise<Value[]> =>
  compute(backend, inputs, (...tensors) => check.run(tensors, attrs));

/** Positions of the inputs whose gradients are checked, one way or the other. */
const differentiated = ({ gradients = [], comparedWithPlain = [] }: Row<unknown>): readonly number[] =>
  gradients.length > 0 ? gradients : comparedWithPlain;

/** How a part of a program is run: as it is, or recomputed in the backward pass. */
type Block = (fn: (...tensors: Tensor[]) => Tensor, inputs: Tensor[]) => Tensor;
const asItIs: Block = (fn, inputs) => fn(...inputs);
const recomputed: Block = (fn, inputs) => checkpoint(fn, inputs);
const productsKept: Block = (fn, inputs) => checkpoint(fn, inputs, { keepProducts: true });

function gradients(
  backend: Backend,
  check: Row<unknown>,
  { inputs, attrs }: Given<unknown>,
  seeds: readonly Value[],
  block = asItIs,
): Promise<Value[]> {
  const wanted = differentiated(check);
  const weighted = (outputs: readonly Tensor[]): Tensor => outputs.map((y, i) => sum(mul(y, upload(backend, seeds[i]!)))).reduce(add);
  const found = scope(backend, () => {
    const params = wanted.map((i) => parameter(upload(backend, inputs[i]!)));
    // every tensor but the parameters is gone when the gradient is taken: rules read what they named in `saves`, or fail
    const loss = scope(backend, () => {
      const tensors = inputs.map((v, i) => (wanted.includes(i) ? scale(params[wanted.indexOf(i)]!, 1) : upload(backend, v)));
      return block((...own) => weighted(listOf(check.run(own, attrs))), tensors);
    });
    return grad(loss, params);
  });
  return readAll(found);
}

/** What a literal gives is the same on every backend, and computed once. */
function remembered<K extends WeakKey, V>(compute: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key));
    return known.get(key) as V;
  };
}

/** What a row's values and gradients should be. */
interface Expectations {
  readonly values: (given: Given<unknown>) => readonly Value[];
  readonly gradients: (given: Given<unknown>) => Promise<readonly Value[]>;
}

function expectations(check: Row<unknown>): Expectations {
  const values = remembered(({ inputs, attrs }: Given<unknown>) => listOf(check.reference(inputs, attrs)));
  const seeds = (given: Given<unknown>): readonly Value[] => values(given).map(seedLike);
  const byDifferences = async (given: Given<unknown>): Promise<readonly Value[]> => {
    const f = (inputs: readonly Value[]): readonly Value[] => listOf(check.reference(inputs, given.attrs));
    return check.gradients!.map((position) => centralDifferences(f, given.inputs, position, seeds(given)));
  };
  const byPlain = async (given: Given<unknown>): Promise<readonly Value[]> => {
    const plain = createPlainBackend();
    return gradients(plain, check, given, seeds(given)).finally(() => plain.dispose());
  };
  return { values, gradients: remembered(check.gradients ? byDifferences : byPlain) };
}

/** Runs a body on every literal, or on what the arbitrary draws. */
async function each<A>(row: Row<A>, body: (given: Given<A>) => Promise<void>, on: Partial<BackendUnderTest> = {}): Promise<void> {
  const { runs = Number.POSITIVE_INFINITY } = row;
  const given = (on.compilesSlowly && row.ofOneKind) || row.given;
  if (Array.isArray(given)) for (const literal of given as readonly Given<A>[]) await body(literal);
  else
    await fc.assert(fc.asyncProperty(given as fc.Arbitrary<Given<A>>, body), {
      ...PROPERTY,
      numRuns: Math.min(PROPERTY.numRuns, on.draws ?? PROPERTY.numRuns, runs),
    });
}

/** Backends are opened once for all suites of a file: what one op's suite had compiled, the next ones have. */
const opened = new Map<BackendUnderTest, Promise<Backend>>();

function open(tested: BackendUnderTest): Promise<Backend> {
  const known = opened.get(tested) ?? tested.create();
  opened.set(tested, known);
  return known;
}

async function disposeOpened(): Promise<void> {
  const all = [...opened.values()];
  opened.clear();
  for (const backend of await Promise.all(all)) backend.dispose();
}

type Checked = readonly [check: Row<unknown>, expected: Expectations];

function testOnBackend(checks: readonly Checked[], refusals: readonly Refusal[], tested: BackendUnderTest): void {
  const backend = useOpened(() => open(tested));
  const blocks = tested.recomputes === false ? [] : [recomputed, productsKept];
  for (const [check, expected] of checks) {
    const forwardTest = (given: Given<unknown>): Promise<void> =>
      forward(backend(), check, given).then((got) => {
        const want = expected.values(given);
        expect(got.length).toBe(want.length);
        got.forEach((y, i) => {
          expectClose(y, want[i]!, check.tolerance ?? VALUES, `output ${i}`);
        });
      });
    test(check.title, () => each(check, forwardTest, tested), TIMEOUT);
    if (differentiated(check).length === 0) continue;
    const gradientTest = async (given: Given<unknown>): Promise<void> => {
      const seeds = expected.values(given).map(seedLike);
      const got = await gradients(backend(), check, given, seeds);
      const want = await expected.gradients(given);
      got.forEach((gradient, i) => {
        expectClose(gradient, want[i]!, check.gradientTolerance ?? GRADIENTS, `gradient of input ${differentiated(check)[i]}`);
      });
      for (const block of check.gradients ? blocks : [])
        expect(await gradients(backend(), check, given, seeds, block), "recomputed").toEqual(got);
    };
    const reference = check.gradients ? `central differences${blocks.length > 0 ? ", recomputed or not" : ""}` : "the plain backend";
    test(`${check.title}: gradients are those of ${reference}`, () => each(check, gradientTest, tested), TIMEOUT);
  }
  for (const { title, call, error, fields = {} } of refusals) {
    test(`refuses ${title}`, () => {
      const thrown = (() => {
        try {
          scope(backend(), () => call(backend()));
        } catch (caught) {
          return caught;
        }
        return undefined;
      })();
      expect(thrown).toBeInstanceOf(error);
      expect(thrown).toMatchObject(fields);
    });
  }
}

/** The bits of an op's outputs and gradients on several backends, which must be the same. */
function testSameBits(table: CaseTable, tested: readonly BackendUnderTest[]): void {
  let backends: readonly Backend[] = [];
  beforeAll(async () => {
    backends = await Promise.all(tested.map(open));
  });
  for (const check of table.cases) {
    const compare = () =>
      each(check, async (given) => {
        const all: Value[][] = [];
        for (const backend of backends) {
          const outputs = await forward(backend, check, given);
          const more = differentiated(check).length > 0 ? await gradients(backend, check, given, outputs.map(seedLike)) : [];
          all.push([...outputs, ...more]);
        }
        for (const other of all.slice(1)) expect(other).toEqual(all[0]); // toEqual tells −0 from 0
      });
    test(check.title, compare, TIMEOUT);
  }
}

/** All tests of a case table, on every backend or on those given; those of one name but for the number of threads must give the same bits. */
export function testConformance(name: string, table: CaseTable, on: readonly BackendUnderTest[] = allBackends): void {
  afterAll(disposeOpened); // of the file
  describe(name, () => {
    const checks = table.cases.map((check) => [check, expectations(check)] as const);
    for (const tested of on) describe(`on ${tested.name}`, () => testOnBackend(checks, table.refusals ?? [], tested));
    const threaded = on.filter((tested) => tested.name.startsWith("cpu"));
    if (threaded.length > 1)
      describe(`gives the same bits on ${threaded.map((tested) => tested.name).join(" and ")}`, () => testSameBits(table, threaded));
  });
}
