// npm run docs:figures: draws every figure anew, by the library as it is built. Their SVG is committed; a figure that did not change stays the same bytes.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setup } from "../../scripts/setup.mjs";

setup();
for (const name of ["code-book", "format-error", "loss-curve", "memory-bars"]) {
  const { draw } = await import(`./${name}.mjs`);
  writeFileSync(join(import.meta.dirname, `${name}.svg`), await draw());
  console.error(`docs/figures/${name}.svg`);
}
