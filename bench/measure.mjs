// How everything here is measured: competitors take turns (A B A B …) in one process or one shell, so that a machine whose speed drifts treats them alike;
// what is reported are medians, and the median of the ratios pair by pair.

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length % 2 ? sorted[(sorted.length - 1) / 2] : (sorted[sorted.length / 2 - 1] + sorted[sorted.length / 2]) / 2;
};

/** Seconds of one call, the mean over as many calls as fill at least `fill` seconds. */
export async function time(fn, fill = 0.15) {
  let calls = 0;
  const start = performance.now();
  let elapsed = 0;
  while (elapsed < fill) {
    await fn();
    calls++;
    elapsed = (performance.now() - start) / 1000;
  }
  return elapsed / calls;
}

/** Runs the contestants in turn, `rounds` times after a warm-up. Returns for each the list of what it gave (seconds, or whatever it measures). */
export async function turns(contestants, rounds = 9) {
  const names = Object.keys(contestants);
  for (const name of names) await contestants[name]();
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) for (const name of names) results[name].push(await contestants[name]());
  return results;
}

/** The median of a/b, pair by pair. */
export const ratio = (a, b) => median(a.map((value, i) => value / b[i]));

export const row = (...cells) => console.log(`| ${cells.join(" | ")} |`);

export function header(...cells) {
  row(...cells);
  row(...cells.map(() => "---"));
}
