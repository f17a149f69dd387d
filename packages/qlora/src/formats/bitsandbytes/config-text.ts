// One key of a config.json changed in its text, all else kept to the letter: written anew from JavaScript, Python's 10000.0 and 1e-05 would not be what they
// were.

/**
 * The text of a JSON object with `key` set to a value, in its place among keys in order; or without it. To the letter the same where it has no such key and
 * gets none.
 * @param text an object that JSON.parse takes
 * @param value JSON, indented as it is to stand; undefined removes the key
 */
export function withKey(text: string, key: string, value: string | undefined): string {
  const open = text.indexOf("{");
  const close = text.lastIndexOf("}");
  const all = membersOf(text.slice(open + 1, close));
  const members = all.filter((member) => keyOf(member) !== key);
  if (value === undefined && members.length === all.length) return text;
  if (value !== undefined) {
    const next = members.findIndex((member) => keyOf(member) > key);
    members.splice(next < 0 ? members.length : next, 0, `${JSON.stringify(key)}: ${value}`);
  }
  return `${text.slice(0, open)}{\n  ${members.join(",\n  ")}\n}${text.slice(close + 1)}`;
}

const keyOf = (member: string): string => JSON.parse(/^"(?:[^"\\]|\\.)*"/.exec(member)![0]) as string;

/** The members of an object's inside, trimmed: cut at commas outside strings and brackets. */
function membersOf(inside: string): string[] {
  const members: string[] = [];
  let [depth, start] = [0, 0];
  for (let i = 0; i < inside.length; i++) {
    const c = inside[i];
    if (c === '"') i = endOfString(inside, i);
    else if (c === "{" || c === "[") depth++;
    else if (c === "}" || c === "]") depth--;
    else if (c === "," && depth === 0) {
      members.push(inside.slice(start, i).trim());
      start = i + 1;
    }
  }
  const last = inside.slice(start).trim();
  return last === "" ? members : [...members, last];
}

/** Position of the quote that ends the string which starts at `start`. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; ; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"' || i >= text.length) return i;
  }
}
