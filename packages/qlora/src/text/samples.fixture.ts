// Small tokenizers and chat templates for tests: the shapes of those in use (byte-level and sentence-piece BPE; ChatML, Llama 2 and 3, Gemma, Qwen 3),
// written for the purpose.
import { ChatTemplate } from "./chat-template.ts";
import { Tokenizer } from "./tokenizer.ts";
import type { TokenizerFiles } from "./tokenizer-files.ts";

/** The 256 characters that byte-level BPE writes bytes as (GPT-2's table: printable ones stand for themselves, the rest follow U+0100). */
function byteCharacters(): string[] {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}

/** A byte-level tokenizer of 256 bytes, three merges ("in", "th", two line ends) and the given special tokens, the first of them id 0. */
export function byteLevelFiles(
  special: readonly string[],
  config: Record<string, unknown>,
  more: Partial<TokenizerFiles> = {},
): TokenizerFiles {
  const merges = [
    ["i", "n"],
    ["t", "h"],
    ["Ċ", "Ċ"],
  ];
  const tokens = [...special, ...byteCharacters(), ...merges.map((pair) => pair.join(""))];
  return {
    tokenizer: {
      added_tokens: special.map((content, id) => ({ id, content, special: true, normalized: false })),
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
      decoder: { type: "ByteLevel" },
      model: { type: "BPE", vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges },
      ...(config.bos_token && !("no_bos" in config)
        ? { post_processor: bosProcessor(String(config.bos_token), special.indexOf(String(config.bos_token))) }
        : {}),
    },
    config,
    ...more,
  };
}

const bosProcessor = (bos: string, id: number) => ({
  type: "TemplateProcessing",
  single: [{ SpecialToken: { id: bos, type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
  pair: [],
  special_tokens: { [bos]: { id: bos, ids: [id], tokens: [bos] } },
});

/** A sentence-piece-like tokenizer: a space goes before each text, spaces are "▁", unknown characters fall back to bytes. */
export function metaspaceFiles(config: Record<string, unknown> = {}): TokenizerFiles {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const letters = ["▁", ..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ[]/.,!?".split("")];
  const merges = [
    ["▁", "H"],
    ["▁", "Y"],
    ["▁", "o"],
  ];
  const tokens = ["<unk>", "<s>", "</s>", ...bytes, ...letters, ...merges.map((pair) => pair.join(""))];
  return {
    tokenizer: {
      added_tokens: ["<unk>", "<s>", "</s>"].map((content, id) => ({ id, content, special: true, normalized: false })),
      normalizer: {
        type: "Sequence",
        normalizers: [
          { type: "Prepend", prepend: "▁" },
          { type: "Replace", pattern: { String: " " }, content: "▁" },
        ],
      },
      post_processor: bosProcessor("<s>", 1),
      decoder: {
        type: "Sequence",
        decoders: [
          { type: "Replace", pattern: { String: "▁" }, content: " " },
          { type: "ByteFallback" },
          { type: "Fuse" },
          { type: "Strip", content: " ", start: 1, stop: 0 },
        ],
      },
      model: {
        type: "BPE",
        unk_token: "<unk>",
        byte_fallback: true,
        fuse_unk: true,
        vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
        merges,
      },
    },
    config: { bos_token: "<s>", eos_token: "</s>", unk_token: "<unk>", ...config },
  };
}

const CHATML =
  "{% for m in messages %}{% if loop.first and m.role != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}" +
  "{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

const LLAMA2 =
  "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %}{{ ' ' + m.content + ' ' + eos_token }}{% endif %}{% endfor %}";

const LLAMA3 =
  "{{- bos_token }}<|start_header_id|>system<|end_header_id|>\n\nToday Date: {{ strftime_now('%d %b %Y') }}\n\n<|eot_id|>" +
  "{% for m in messages %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n' + m.content | trim + '<|eot_id|>' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";

const GEMMA =
  "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" +
  "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}" +
  "{% if m.role == 'assistant' %}{% set role = 'model' %}{% else %}{% set role = m.role %}{% endif %}" +
  "{{ '<start_of_turn>' + role + '\n' + m.content | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}";

// Earlier answers lose their reasoning; the last answer always shows a reasoning block, an empty one if need be.
const QWEN3 =
  "{% for m in messages %}{% if m.role == 'assistant' %}{% set answer = m.content %}{% set reasoning = '' %}" +
  "{% if '</think>' in m.content %}{% set reasoning = m.content.split('</think>')[0].split('<think>')[-1].strip('\n') %}{% set answer = m.content.split('</think>')[-1].lstrip('\n') %}{% endif %}" +
  "{{ '<|im_start|>assistant\n' }}{% if loop.last %}{{ '<think>\n' + reasoning + '\n</think>\n\n' }}{% endif %}{{ answer + '<|im_end|>\n' }}" +
  "{% else %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/** A tokenizer with a chat template, made from the same files. */
export interface Sample {
  readonly files: TokenizerFiles;
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
}

function sample(files: TokenizerFiles, source: string): Sample {
  const tokenizer = Tokenizer.from(files);
  return { files, tokenizer, template: new ChatTemplate(source, tokenizer.special) };
}

const CHATML_TOKENS = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"];

/** ChatML with a system message of its own; no BOS; the stop token is the end of turn, and also the pad token. */
export const chatml = (source = CHATML): Sample =>
  sample(byteLevelFiles(CHATML_TOKENS, { eos_token: "<|im_end|>", pad_token: "<|im_end|>" }), source);

/** ChatML tokens under a template that is not prefix-preserving and treats reasoning as Qwen 3 does. */
export const qwen3 = (): Sample =>
  sample(
    byteLevelFiles(CHATML_TOKENS, { eos_token: "<|im_end|>", pad_token: "<|endoftext|>", add_bos_token: false, bos_token: null }),
    QWEN3,
  );

/** A template that writes BOS, headers and a date, over a tokenizer that would add BOS as well; two stop ids in the generation config. */
export const llama3 = (): Sample =>
  sample(
    byteLevelFiles(
      ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
      { bos_token: "<|begin_of_text|>", eos_token: "<|eot_id|>" },
      { generationConfig: { eos_token_id: [1, 4] } },
    ),
    LLAMA3,
  );

/** A template that trims, calls the assistant "model", refuses system messages, and ends turns with a token that is not the eos. */
export const gemma = (): Sample =>
  sample(
    byteLevelFiles(
      ["<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"],
      { bos_token: "<bos>", eos_token: "<eos>" },
      { generationConfig: { eos_token_id: [1, 3] } },
    ),
    GEMMA,
  );

/** A sentence-piece tokenizer under a template without a generation prompt, whose cuts fall inside tokens. */
export const llama2 = (): Sample => sample(metaspaceFiles(), LLAMA2);
