// npm run docs: installs and builds what is missing, writes the pages that come from the code, sets the site into docs/dist, and tries
// every code block. An export without a comment, a link to nowhere and an example that fails end it with an error. The site opens from disk.
import { join } from "node:path";
import { run, setup } from "../scripts/setup.mjs";
import { installDocs } from "./install.mjs";

const here = import.meta.dirname;
setup();
installDocs();
const { writeCommandLine } = await import("./command-line.mjs"); // the command it reads is built only now
writeCommandLine();
run(process.execPath, [join(here, "node_modules", "typedoc", "bin", "typedoc"), "--options", join(here, "typedoc.config.mjs")], {
  cwd: here,
});
// commands, JSON and programs on the pages: each is compiled or run
const vitest = join(here, "..", "node_modules", "vitest", "vitest.mjs");
run(process.execPath, [vitest, "run", "--project", "docs", "--reporter", "dot", "test/docs/code-blocks.test.ts"], {
  cwd: join(here, ".."),
});
process.stderr.write(`the site: ${join(here, "dist", "index.html")}\n`);
