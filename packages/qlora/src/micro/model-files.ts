// The small files of the micro model's folder, as a Hugging Face model has them: config, tokenizer, chat template, where generation stops. The weights
// come from training (examples/pretrain-micro.ts); everything here is a pure function, so the committed files can be made again and compared.
import { fold, key } from "@qlora-js/core";
import { draws } from "./draw.ts";
import { END_OF_TEXT, microGrammar, microText, TURN_END, TURN_START } from "./grammar.ts";
import { trainBpe } from "./train-bpe.ts";

/** Special tokens by id. */
const SPECIALS = [END_OF_TEXT, TURN_START, TURN_END] as const;
const VOCABULARY = 1024;
const CORPUS_DOCUMENTS = 20_000;

/** ChatML without a system prompt of its own. */
const CHAT_TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** The shape of the micro model: 1.1 million parameters, in-features a multiple of 64 everywhere so that no 4-bit block crosses a row. */
export const MICRO_CONFIG = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: VOCABULARY,
  hidden_size: 128,
  intermediate_size: 384,
  num_hidden_layers: 5,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 32,
  hidden_act: "silu",
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
  attention_bias: false,
  mlp_bias: false,
  initializer_range: 0.05,
  bos_token_id: 1,
  eos_token_id: 2,
  pad_token_id: 0,
  torch_dtype: "bfloat16",
} as const;

/** tokenizer.json: words cut by digits and GPT-2's pattern, byte-level pairs trained on the grammar's own text. */
function tokenizerJson(): object {
  const draw = draws(fold(key(0), 0));
  const grammar = microGrammar();
  const texts = Array.from({ length: CORPUS_DOCUMENTS }, () => microText(grammar(draw)));
  const { tokens, merges } = trainBpe(texts, VOCABULARY, SPECIALS);
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIALS.map((content, id) => ({ id, content, ...plain })),
    normalizer: null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel] },
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map(([left, right]) => `${left} ${right}`),
    },
  };
}

/** The texts of the folder's JSON files by name, each ending with a line end. Takes a few seconds: the tokenizer is trained. */
export function microModelFiles(): Readonly<Record<string, string>> {
  const jobs = { bos_token: TURN_START, eos_token: TURN_END, pad_token: END_OF_TEXT, unk_token: END_OF_TEXT };
  const plain = { lstrip: false, normalized: false, rstrip: false, single_word: false, special: true };
  const files = {
    "config.json": MICRO_CONFIG,
    "generation_config.json": { bos_token_id: 1, eos_token_id: [2, 0], pad_token_id: 0 },
    "special_tokens_map.json": jobs,
    "tokenizer_config.json": {
      added_tokens_decoder: Object.fromEntries(SPECIALS.map((content, id) => [id, { content, ...plain }])),
      ...jobs,
      chat_template: CHAT_TEMPLATE,
      clean_up_tokenization_spaces: false,
      model_max_length: MICRO_CONFIG.max_position_embeddings,
      tokenizer_class: "PreTrainedTokenizerFast",
    },
  };
  const text = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
  return {
    ...Object.fromEntries(Object.entries(files).map(([name, value]) => [name, text(value)])),
    "tokenizer.json": `${JSON.stringify(tokenizerJson())}\n`,
  };
}
