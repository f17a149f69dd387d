// npm run docs: installs and builds what is missing, writes the pages that come from the code, and sets the site into docs/dist. Opens from disk.
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
process.stderr.write(`the site: ${join(here, "dist", "index.html")}\n`);
