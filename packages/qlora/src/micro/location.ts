// Where the embedded micro model and its demo data are: beside `src` and `dist` in the package, so the same relative way leads there from both.

/** The model's folder: config.json, tokenizer.json, model.safetensors and so on. Ends with a slash. */
export const microModelUrl = (): URL => new URL("../../micro/model/", import.meta.url);

/** The demo's data: train.jsonl, valid.jsonl, prompts.json. Ends with a slash. */
export const microDemoUrl = (): URL => new URL("../../micro/demo/", import.meta.url);
