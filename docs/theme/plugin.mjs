// typedoc's default theme made plain: modules have the names they are imported by, navigation is part of each page and needs no JavaScript, and light or
// dark is what the reader's system asks for. Search is typedoc's own.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Comment, Converter, DefaultTheme, DefaultThemeRenderContext, JSX, PageEvent, ReflectionKind } from "typedoc";

const ENTRIES = {
  "qlora/src/node": "What the package offers in Node besides: files, folders and the hub.",
  "qlora/src/micro": "The embedded micro model: where it lies and what it was made of.",
};

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      const text = ENTRIES[module.name] ?? descriptionOf(module.name.replace(/\/src$/, ""));
      module.comment = new Comment([{ kind: "text", text }]);
      module.name = `@qlora-js/${module.name.replace("/src", "")}`;
    }
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    // what is taken apart in a function's head has no name there
    for (const parameter of project.getReflectionsByKind(ReflectionKind.Parameter))
      if (parameter.name === "__namedParameters") parameter.name = "options";
  });
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const reflection of Object.values(project.reflections)) for (const source of reflection.sources ?? []) delete source.url;
  });
  // typedoc hides a page until its script has run, half a second at most; these can be read at once
  app.renderer.on(PageEvent.END, (page) => {
    page.contents = page.contents?.replace(/document\.body\.style\.display="none";setTimeout\(.*?,500\)/, "");
  });
  // a browser may break a line after any dash; an option's name is one word
  app.renderer.on(PageEvent.END, (page) => {
    page.contents = page.contents?.replace(/<code>[^<]*<\/code>/g, (code) =>
      code.replace(/--?[a-z][\w-]*/g, (word, at) => (/[\s>,|[]/.test(code[at - 1]) ? `<span class="word">${word}</span>` : word)),
    );
  });
  app.renderer.defineTheme("plain", PlainTheme);
  app.renderer.hooks.on("content.begin", (context) =>
    element("details", { class: "phone-navigation" }, element("summary", null, "Contents"), navigation(context)),
  );
}

const descriptionOf = (name) =>
  `${JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "packages", name, "package.json"), "utf8")).description}.`;

const element = JSX.createElement;

class PlainTheme extends DefaultTheme {
  getRenderContext(page) {
    return new PlainContext(this.router, this, page, this.application.options);
  }
}

class PlainContext extends DefaultThemeRenderContext {
  sidebar = () => navigation(this);
  pageSidebar = (page) => this.pageNavigation(page); // without settings, which need JavaScript
  #breadcrumbs = this.breadcrumbs;
  breadcrumbs = (reflection) => (reflection.isDocument() && reflection.parent?.isProject() ? undefined : this.#breadcrumbs(reflection));
  footer = () => element("footer", null, "qlora-js · Apache-2.0");
}

/** Written pages in their order, then the packages; of the package that is open, what it exports. */
function navigation(context) {
  const { project, model } = context.page;
  return element(
    "nav",
    { class: "plain-navigation" },
    element("ul", null, start(context), ...(project.documents ?? []).map((document) => branch(context, document))),
    element("h2", null, "API"),
    element("ul", null, ...(project.children ?? []).map((module) => branch(context, module, isWithin(model, module)))),
  );
}

const start = (context) =>
  element(
    "li",
    null,
    element(
      "a",
      { href: context.relativeURL("index.html"), ...(context.page.url === "index.html" ? { "aria-current": "page" } : {}) },
      "Start",
    ),
  );

function branch(context, reflection, open = true) {
  const below = reflection.isDocument() ? reflection.children : open ? reflection.children : undefined;
  return link(
    context,
    reflection,
    reflection.name,
    below?.length ? element("ul", null, ...below.map((child) => branch(context, child, false))) : null,
  );
}

const link = (context, reflection, text, below) => {
  const here = context.page.model === reflection ? { "aria-current": "page" } : {};
  return element("li", null, element("a", { href: context.urlTo(reflection), ...here }, text), below);
};

function isWithin(reflection, module) {
  for (let at = reflection; at; at = at.parent) if (at === module) return true;
  return false;
}
