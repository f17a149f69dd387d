// The syntax of a regular expression of JavaScript (Unicode mode), text to tree: what pattern.ts has made of an expression in Oniguruma's words. What one
// character has to be (a letter, a class, an escape) is left to JavaScript itself; here is only how characters follow each other.

/** Whether a code point is one that the expression wants. */
export type CharacterTest = (code: number) => boolean;

export type Node =
  | { readonly kind: "set"; readonly has: CharacterTest }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly Node[] }
  | { readonly kind: "repeat"; readonly body: Node; readonly min: number; readonly max: number; readonly lazy: boolean }
  | { readonly kind: "ahead" | "behind"; readonly body: Node; readonly negative: boolean };

/** A character, an escape or a class; two escapes that are one character. */
const ATOM =
  /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\(?:[pPu]\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[A-Za-z]|.)|\[(?:\\.|[^\]\\])*\]|./suy;
const REPEAT = /(?:([*+?])|\{(\d{1,4})(?:(,)(\d{0,4}))?\})(\??)/y;
const GROUP = /\((?:\?:|\?<?[=!]|\?<\w+>)?/y;
const MOST_NESTING = 50;

/** @throws Error saying what is not read: references, and anchors, which are said in other words */
export function parsePattern(source: string): Node {
  let at = 0;
  let nesting = 0;
  const sets = new Map<string, CharacterTest>();
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const choice = (): Node => {
    if (++nesting > MOST_NESTING) throw new Error(`groups more than ${MOST_NESTING} deep`);
    const parts = [sequence()];
    for (; source[at] === "|"; parts.push(sequence())) at++;
    nesting--;
    return parts.length === 1 ? parts[0]! : { kind: "choice", parts };
  };
  const sequence = (): Node => {
    const parts: Node[] = [];
    while (at < source.length && source[at] !== "|" && source[at] !== ")") parts.push(repeated(source[at] === "(" ? group() : atom()));
    return parts.length === 1 ? parts[0]! : { kind: "sequence", parts };
  };
  const repeated = (body: Node): Node => {
    const found = take(REPEAT);
    if (!found) return body;
    const [, sign, least, comma, most, lazy] = found;
    const min = least === undefined ? Number(sign === "+") : Number(least);
    const max = sign === "?" ? 1 : sign || (comma && !most) ? Number.POSITIVE_INFINITY : Number(comma ? most : least);
    return { kind: "repeat", body, min, max, lazy: lazy !== "" };
  };
  const group = (): Node => {
    const open = take(GROUP)![0];
    const body = choice();
    if (source[at++] !== ")") throw new Error("( without )");
    const negative = open.endsWith("!");
    if (!negative && !open.endsWith("=")) return body;
    return { kind: open[2] === "<" ? "behind" : "ahead", body, negative };
  };
  const atom = (): Node => {
    const text = take(ATOM)![0];
    if (/^(?:[\^$]|\\[1-9bBk])/.test(text)) throw new Error(`${text} in it`);
    const has = sets.get(text) ?? characterTest(text);
    sets.set(text, has);
    return { kind: "set", has };
  };
  const whole = choice();
  if (at < source.length) throw new Error(") without (");
  return whole;
}

/** Answers are kept: most texts have few different characters. */
function characterTest(atom: string): CharacterTest {
  const whole = new RegExp(`^${atom}$`, "u");
  const known = new Map<number, boolean>();
  return (code) => {
    let answer = known.get(code);
    if (answer === undefined) {
      answer = whole.test(String.fromCodePoint(code));
      known.set(code, answer);
    }
    return answer;
  };
}
