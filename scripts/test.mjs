// Every test, from a fresh clone: install, build, run. Ends with `N passed, N failed` (and `, N skipped`).
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, setup } from "./setup.mjs";

setup();
const report = join(mkdtempSync(join(tmpdir(), "qlora-test-")), "report.json");
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const { status } = spawnSync(
  process.execPath,
  [vitest, "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { cwd: root, stdio: "inherit" },
);
let code = status ?? 1;
try {
  const { numPassedTests, numFailedTests, numPendingTests, numTotalTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
  // A file that failed before its first test counts as one failure.
  const broken = testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = numFailedTests + broken;
  if (numTotalTests === 0 || failed > 0) code ||= 1;
  console.log(`${numPassedTests} passed, ${failed} failed${numPendingTests ? `, ${numPendingTests} skipped` : ""}`);
} catch (error) {
  console.log(`the test run left no report: ${error.message}`);
  console.log("0 passed, 1 failed");
  code ||= 1;
}
process.exit(code);
