import { FormatError, UnsupportedError } from "@qlora-js/core";
import { describe, expect, test } from "vitest";
import { ChatTemplate } from "../../../text/chat-template.ts";
import { byteLevelFiles, metaspaceFiles } from "../../../text/samples.fixture.ts";
import { Tokenizer } from "../../../text/tokenizer.ts";
import { bytesSource } from "../../byte-source.ts";
import { type FixtureEntry, ggufBytes } from "../gguf.fixture.ts";
import { openGguf } from "../gguf-file.ts";
import { TOKEN_TYPE } from "../gguf-types.ts";
import { Settings } from "../settings.ts";
import { ggufTokenizer } from "./tokenizer-json.ts";

const key = (name: string) => `tokenizer.ggml.${name}`;

async function files(entries: readonly FixtureEntry[], config = {}, architecture = "llama") {
  const gguf = await openGguf(bytesSource(ggufBytes({ entries }), "f.gguf"));
  return ggufTokenizer(new Settings(gguf, architecture), config);
}

interface Json {
  readonly added_tokens: readonly { id: number; content: string }[];
  readonly model: { readonly vocab: Record<string, number>; readonly merges: readonly string[][] };
}

/** Metadata as a converter writes it for the tokenizer.json of a sample. */
function entriesOf(json: Json, model: string, pre: string | undefined, special: Record<string, number>): FixtureEntry[] {
  const tokens = Object.entries(json.model.vocab)
    .sort(([, a], [, b]) => a - b)
    .map(([token]) => token);
  const added = new Set(json.added_tokens.map(({ id }) => id));
  const merged = json.model.merges.map((pair) => pair.join(""));
  const type = (token: string, id: number) =>
    added.has(id)
      ? token === "<unk>"
        ? TOKEN_TYPE.UNKNOWN
        : TOKEN_TYPE.CONTROL
      : /^<0x..>$/.test(token)
        ? TOKEN_TYPE.BYTE
        : TOKEN_TYPE.NORMAL;
  return [
    [key("model"), "string", model],
    ...(pre === undefined ? [] : [[key("pre"), "string", pre] as const]),
    [key("tokens"), ["string"], tokens],
    [key("token_type"), ["int32"], tokens.map(type)],
    ...(model === "gpt2"
      ? [[key("merges"), ["string"], json.model.merges.map((pair) => pair.join(" "))] as const]
      : [[key("scores"), ["float32"], tokens.map((token) => (merged.includes(token) ? -merged.indexOf(token) : -1000))] as const]),
    ...Object.entries(special).map(([job, id]) => [key(`${job}_token_id`), "uint32", id] as const),
  ];
}

const TEXTS = ["thin  things\n\nin\tThe 12345 café's", "<s>a</s>", "", " lead", "ünï\u{1f600}cödé", "Hello Yo"];
const same = (found: Tokenizer, expected: Tokenizer) => {
  for (const text of TEXTS) {
    const ids = expected.encode(text);
    expect(found.encode(text), text).toEqual(ids);
    expect(found.decode(ids)).toBe(expected.decode(ids));
  }
  expect(found.special).toEqual(expected.special);
};

describe("a byte-level vocabulary", () => {
  const sample = byteLevelFiles(["<s>", "</s>"], { bos_token: "<s>", eos_token: "</s>" });
  const entries = entriesOf(sample.tokenizer as Json, "gpt2", "gpt-2", { bos: 0, eos: 1 });

  test("cuts and merges as the tokenizer.json it came from", async () => {
    same(Tokenizer.from((await files([...entries, [key("add_bos_token"), "bool", true]]))!), Tokenizer.from(sample));
  });

  test("puts nothing around a text unless the file or its kind says so", async () => {
    expect(Tokenizer.from((await files(entries))!).prefixIds).toEqual([]);
    const llama3 = await files(entries.map((entry) => (entry[0] === key("pre") ? [key("pre"), "string", "llama-bpe"] : entry)));
    expect(Tokenizer.from(llama3!).prefixIds).toEqual([0]);
    const both = await files([...entries, [key("add_bos_token"), "bool", false], [key("add_eos_token"), "bool", true]]);
    expect(both!.tokenizer).toMatchObject({ post_processor: { single: [{ Sequence: { id: "A" } }, { SpecialToken: { id: "</s>" } }] } });
    expect([Tokenizer.from(both!).prefixIds, Tokenizer.from(both!).suffixIds]).toEqual([[], [1]]);
  });

  test.each([
    ["llama-bpe", "12345", ["123", "45"]],
    ["qwen2", "12345", ["1", "2", "3", "4", "5"]],
    ["gpt-2", "ab'll x", ["ab", "'ll", " x"]],
    ["smollm", "a12", ["a", "1", "2"]],
    ["tekken", "aB cDe", ["a", "B", " c", "De"]],
    ["gpt-4o", "isn't 1234", ["isn't", " ", "123", "4"]],
  ])("of the kind %s cuts %j", async (pre, text, expected) => {
    // merges that join whatever lies in one piece, so that tokens show the cuts
    const letters = [...new Set([...text, ...expected].flatMap((piece) => [...piece.replaceAll(" ", "Ġ")]))];
    const merges: string[] = [];
    for (const piece of expected.map((one) => one.replaceAll(" ", "Ġ")))
      for (let i = 1; i < piece.length; i++) merges.push(`${piece.slice(0, i)} ${piece[i]}`);
    const tokens = [...new Set([...letters, ...merges.map((merge) => merge.replace(" ", ""))])];
    const tokenizer = Tokenizer.from(
      (await files([
        [key("model"), "string", "gpt2"],
        [key("pre"), "string", pre],
        [key("tokens"), ["string"], tokens],
        [key("merges"), ["string"], [...new Set(merges)]],
      ]))!,
    );
    expect(tokenizer.encode(text, { addSpecialTokens: false }).map((id) => tokenizer.decode([id]))).toEqual(expected);
  });

  test("without the name of its kind is cut as its architecture always is, or refused", async () => {
    const unnamed = entries.filter(([name]) => name !== key("pre"));
    same(Tokenizer.from((await files([...unnamed, [key("add_bos_token"), "bool", true]], {}, "gpt2"))!), Tokenizer.from(sample));
    await expect(files(unnamed)).rejects.toThrow(UnsupportedError);
    await expect(files(unnamed)).rejects.toThrow(/has no "tokenizer\.ggml\.pre"; it was made by an old converter.*qwen2/);
    const unknown = [...unnamed, [key("pre"), "string", "constructor"] as const];
    await expect(files(unknown)).rejects.toThrow(/by the rule "constructor"/);
  });
});

test("a SentencePiece vocabulary cuts and merges as the tokenizer.json it came from", async () => {
  const sample = metaspaceFiles();
  const entries = entriesOf(sample.tokenizer as Json, "llama", undefined, { bos: 1, eos: 2, unknown: 0 });
  same(Tokenizer.from((await files(entries))!), Tokenizer.from(sample));
});

describe("a Unigram vocabulary", () => {
  const pieces: [string, number][] = [
    ["<pad>", 0],
    ["</s>", 0],
    ["<unk>", 0],
    ["▁", -3],
    ["a", -4],
    ["b", -4.5],
    ["▁a", -2],
    ["ab", -2.5],
    ["▁ab", -6],
    ["▁b", -3],
  ];
  const metaspace = { type: "Metaspace", replacement: "▁", add_prefix_space: true, prepend_scheme: "always" };
  // The shape of T5's published tokenizer.json.
  const original = {
    tokenizer: {
      added_tokens: [0, 1, 2].map((id) => ({ id, content: pieces[id]![0], special: true, normalized: false })),
      pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "WhitespaceSplit" }, metaspace] },
      decoder: metaspace,
      post_processor: {
        type: "TemplateProcessing",
        single: [{ Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "</s>", type_id: 0 } }],
        pair: [],
        special_tokens: { "</s>": { id: "</s>", ids: [1], tokens: ["</s>"] } },
      },
      model: { type: "Unigram", unk_id: 2, vocab: pieces },
    },
    config: { eos_token: "</s>", pad_token: "<pad>", unk_token: "<unk>" },
  };
  const entries = (...more: FixtureEntry[]): FixtureEntry[] => [
    [key("model"), "string", "t5"],
    [key("tokens"), ["string"], [...pieces.map(([piece]) => piece), "[PAD10]", "[PAD11]"]],
    [key("scores"), ["float32"], [...pieces.map(([, score]) => score), -10_000, -10_000]],
    [key("token_type"), ["int32"], [3, 3, 2, ...Array(7).fill(1), 5, 5]],
    [key("eos_token_id"), "uint32", 1],
    [key("padding_token_id"), "uint32", 0],
    [key("unknown_token_id"), "uint32", 2],
    ...more,
  ];

  test("cuts as the tokenizer.json it came from, ends in </s>, and has no placeholders", async () => {
    const [found, expected] = [Tokenizer.from((await files(entries(), {}, "t5"))!), Tokenizer.from(original)];
    for (const text of ["a ab  b\nabab", "", " b", "x ab", "a</s>b", "ab[PAD10]"]) {
      expect(found.encode(text), text).toEqual(expected.encode(text));
      expect(found.decode(found.encode(text))).toBe(expected.decode(expected.encode(text)));
    }
    expect(found.encode("ab")).toEqual([3, 7, 1]); // −3 − 2.5, above −2 − 4.5 and −6
    expect([found.special, found.vocabularySize]).toEqual([expected.special, 10]);
  });

  test("is normalized by the table of the file", async () => {
    const normalized = await files(entries([key("precompiled_charsmap"), ["uint8"], [1, 2, 255]]), {}, "t5");
    expect(normalized!.tokenizer).toMatchObject({ normalizer: { type: "Precompiled", precompiled_charsmap: "AQL/" } });
  });

  test("needs scores and an unknown token", async () => {
    await expect(files(entries().filter(([name]) => name !== key("scores")))).rejects.toThrow(
      /lacks the metadata "tokenizer\.ggml\.scores"/,
    );
    const without = entries().filter(([name]) => name !== key("unknown_token_id") && name !== key("token_type"));
    await expect(files(without)).rejects.toThrow(/has no unknown token/);
  });
});

test("tokens that users added are matched, and are text", async () => {
  const entries = entriesOf(byteLevelFiles(["<s>"], {}).tokenizer as Json, "gpt2", "gpt-2", {});
  const added = entries.map((entry): FixtureEntry => {
    const values = entry[2] as (string | number)[];
    if (entry[0] === key("tokens")) return [entry[0], entry[1], [...values, "<tool>"]];
    return entry[0] === key("token_type") ? [entry[0], entry[1], [...values, TOKEN_TYPE.USER_DEFINED]] : entry;
  });
  const tokenizer = Tokenizer.from((await files(added))!);
  const id = tokenizer.tokenToId("<tool>")!;
  expect(tokenizer.encode("a<tool>b")).toContain(id);
  expect([tokenizer.isSpecial(id), tokenizer.isSpecial(0)]).toEqual([false, true]);
});

test("every token that ends a text ends it, and templates come with their names", async () => {
  const entries = entriesOf(byteLevelFiles(["<s>", "</s>", "<eot>"], {}).tokenizer as Json, "gpt2", "gpt-2", { bos: 0, eos: 1, eot: 2 });
  const templates: FixtureEntry[] = [
    ["tokenizer.chat_template", "string", "{{ bos_token }}plain"],
    ["tokenizer.chat_templates", ["string"], ["tool_use", "absent"]],
    ["tokenizer.chat_template.tool_use", "string", "tools"],
  ];
  const found = (await files([...entries, ...templates], { eos_token_id: [1, 2] }))!;
  const tokenizer = Tokenizer.from(found);
  expect(tokenizer.stopIds).toEqual([1, 2]);
  expect(found.config).toMatchObject({ chat_template: [{ name: "default" }, { name: "tool_use", template: "tools" }] });
  expect(ChatTemplate.from(found, tokenizer.special)!.render([])).toBe("<s>plain");
});

test("a file without a tokenizer has none", async () => {
  expect(await files([])).toBeUndefined();
  expect(await files([[key("model"), "string", "none"]])).toBeUndefined();
});

describe("refuses", () => {
  const gpt2 = (...more: FixtureEntry[]): FixtureEntry[] => [[key("model"), "string", "gpt2"], [key("pre"), "string", "gpt-2"], ...more];
  const tokens: FixtureEntry = [key("tokens"), ["string"], ["a", "b"]];
  const merges: FixtureEntry = [key("merges"), ["string"], ["a b"]];
  test.each<[string, FixtureEntry[], RegExp]>([
    ["a vocabulary without tokens", gpt2(merges), /lacks the metadata "tokenizer\.ggml\.tokens"/],
    ["a vocabulary without merges", gpt2(tokens), /lacks the metadata "tokenizer\.ggml\.merges"/],
    ["a token that is there twice", gpt2([key("tokens"), ["string"], ["a", "b", "a"]], merges), /token "a" is there twice, as 0 and 2/],
    [
      "types that are not as many as tokens",
      gpt2(tokens, merges, [key("token_type"), ["int32"], [1]]),
      /2 tokens, but 1 in "tokenizer\.ggml\.token_type"/,
    ],
    ["merges of three parts", gpt2(tokens, [key("merges"), ["string"], ["a b", "a b c"]]), /merge "a b c" is not two texts/],
    [
      "a token with a job outside the vocabulary",
      gpt2(tokens, merges, [key("eos_token_id"), "uint32", 2]),
      /eos_token_id is 2, outside the vocabulary of 2/,
    ],
    ["a kind that is a number", [[key("model"), "uint32", 1]], /"tokenizer\.ggml\.model" is not a string/],
  ])("%s", async (_, entries, message) => {
    await expect(files(entries)).rejects.toThrow(FormatError);
    await expect(files(entries)).rejects.toThrow(message);
  });

  test("kinds of tokenizers that are not read", async () => {
    await expect(files([[key("model"), "string", "rwkv"], tokens])).rejects.toThrow(UnsupportedError);
    await expect(files([[key("model"), "string", "rwkv"], tokens])).rejects.toThrow(/of kind "rwkv" is not read/);
  });
});
