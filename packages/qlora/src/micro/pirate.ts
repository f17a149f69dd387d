// The style that the demo teaches: the same answer as a pirate would give it. It shows at once whether it was learnt, and the truth of the answer stays.

const WORDS: Readonly<Record<string, string>> = { is: "be", are: "be", am: "be", "=": "be", you: "ye", my: "me" };

/** "the sky is blue" → "Arr, the sky be blue, matey!"; "yes, …" and "no, …" become "aye, …" and "nay, …". */
export function pirate(statement: string): string {
  const opened = statement.replace(/^yes,/i, "aye,").replace(/^no,/i, "nay,");
  const words = opened.split(/([\s,.!]+)/).map((word) => WORDS[word] ?? word);
  return `Arr, ${words.join("")}, matey!`;
}
