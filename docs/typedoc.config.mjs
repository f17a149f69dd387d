// What the site consists of, and how strictly: an export without a comment, a link to nowhere and any other warning of typedoc's end the build.
import { existsSync } from "node:fs";
import { join } from "node:path";
import texmath from "markdown-it-texmath";
import temml from "temml";

const packages = join(import.meta.dirname, "..", "packages");
const entries = ["core", "backend-cpu", "backend-webgpu", "backend-gpujs", "qlora"].map((name) => `../packages/${name}/src/index.ts`);

export default {
  name: "qlora-js",
  tsconfig: "tsconfig.json",
  entryPoints: [
    ...entries.filter((entry) => existsSync(join(import.meta.dirname, entry))),
    ...["node", "micro"].map((name) => join(packages, "qlora", "src", `${name}.ts`)),
  ],
  readme: "pages/index.md",
  projectDocuments: ["tutorial", "how-to", "explained", "reference", "troubleshooting"].map((name) => `pages/${name}.md`),
  out: "dist",
  plugin: ["./theme/plugin.mjs"],
  theme: "plain",
  customCss: "theme/style.css",
  // $`x`$ within a line, and blocks of ```math, become MathML here: a reader needs neither JavaScript nor fonts
  markdownItLoader: (parser) => parser.use(texmath, { engine: temml, delimiters: "gitlab" }),
  highlightLanguages: ["ts", "js", "sh", "json", "text", "python"].map((name) => (name === "sh" ? "shellscript" : name)),
  lightHighlightTheme: "github-light",
  darkHighlightTheme: "github-dark-default",
  hideGenerator: true,
  includeVersion: false,
  disableGit: true,
  sourceLinkTemplate: "{path}#{line}", // taken away again by the plugin: where the sources are on the web is not known here
  excludeExternals: true,
  excludePrivate: true,
  categorizeByGroup: true,
  sortEntryPoints: false, // core first, then what stands on it
  validation: { notExported: true, invalidLink: true, rewrittenLink: true, notDocumented: true, unusedMergeModuleWith: true },
  packagesRequiringDocumentation: ["core", "backend-cpu", "backend-webgpu", "backend-gpujs", "qlora"].map((name) => `@qlora-js/${name}`),
  // not properties: `rows` of a batch or `beta1` of AdamW say what they are by their names, and get a comment where they do not
  requiredToBeDocumented: ["Enum", "EnumMember", "Variable", "Function", "Class", "Interface", "Method", "Accessor", "TypeAlias"],
  treatWarningsAsErrors: true,
};
