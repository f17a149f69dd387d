// The site can be built: every export of every package has its comment, every link of a comment or page leads somewhere, no tag is left over. typedoc reads all
// of it as `npm run docs` does, by the same options, and writes nothing.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./code-blocks.ts";

const inDocs = (...code: string[]) => spawnSync(process.execPath, code, { cwd: join(root, "docs"), encoding: "utf8" });

it("typedoc has nothing to say about comments and links of what is exported", () => {
  const readied = inDocs(
    "--input-type=module",
    "--eval",
    '(await import("./install.mjs")).installDocs(); (await import("./command-line.mjs")).writeCommandLine();',
  );
  expect(readied.status, readied.stderr).toBe(0);
  // types are checked by the build of each package already
  const typedoc = inDocs("node_modules/typedoc/bin/typedoc", "--options", "typedoc.config.mjs", "--emit", "none", "--skipErrorChecking");
  const said = `${typedoc.stdout}${typedoc.stderr}`.split("\n").filter((line) => /warning|error/i.test(line));
  expect({ said, status: typedoc.status }).toEqual({ said: [], status: 0 });
});
