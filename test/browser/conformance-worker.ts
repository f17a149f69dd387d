// Runs the conformance tests in a worker of a page, and reports.
import "../ops/conformance.test.ts";
import { runTests } from "./vitest-in-page.ts";

globalThis.postMessage(await runTests((title) => globalThis.postMessage(title)));
