// Python's `strip`, `lstrip` and `rstrip` of texts in a chat template, which take the characters to strip. @huggingface/jinja strips all white space whatever
// it is given (Qwen 3's template says `content.lstrip('\n')`), so a parsed template is made to call these instead.

const METHODS: ReadonlySet<unknown> = new Set(["strip", "lstrip", "rstrip"]);

/** The name a template calls a method's function by. */
const nameOf = (method: string): string => `python_${method}`;

/** What the template has to be given by these names. */
export const STRIP_FUNCTIONS: Readonly<Record<string, (text: unknown, characters?: unknown) => string>> = {
  [nameOf("strip")]: (text, characters) => stripped(text, characters, true, true),
  [nameOf("lstrip")]: (text, characters) => stripped(text, characters, true, false),
  [nameOf("rstrip")]: (text, characters) => stripped(text, characters, false, true),
};

interface Node {
  type?: unknown;
  callee?: { type?: unknown; computed?: unknown; object?: unknown; property?: { value?: unknown } } | { type: string; value: string };
  args?: unknown[];
}

/** Turns `text.strip(…)` into `python_strip(text, …)` throughout a parsed template. */
export function callPythonStrips(parsed: unknown): void {
  if (typeof parsed !== "object" || parsed === null) return;
  const node = parsed as Node;
  const { callee } = node;
  if (node.type === "CallExpression" && callee && "object" in callee && !callee.computed && METHODS.has(callee.property?.value)) {
    node.args = [callee.object, ...(node.args ?? [])];
    node.callee = { type: "Identifier", value: nameOf(String(callee.property?.value)) };
  }
  for (const part of Object.values(parsed)) callPythonStrips(part);
}

/** White space as Python's str.isspace sees it. */
const isSpace = (character: string): boolean => /\p{White_Space}/u.test(character) || (character >= "\x1c" && character <= "\x1f");

function stripped(text: unknown, characters: unknown, left: boolean, right: boolean): string {
  if (typeof text !== "string") throw new Error("strip() of what is no text");
  const given = typeof characters === "string" ? new Set(characters) : undefined;
  const strips = (character: string): boolean => given?.has(character) ?? isSpace(character);
  const all = [...text];
  let [start, end] = [0, all.length];
  while (left && start < end && strips(all[start]!)) start++;
  while (right && end > start && strips(all[end - 1]!)) end--;
  return all.slice(start, end).join("");
}
