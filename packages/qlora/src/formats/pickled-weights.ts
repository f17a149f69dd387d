// What is said of weights in PyTorch's own files, wherever they are met.

/**
 * Why a model's files cannot be used, and the command that converts them; undefined if there are no such weights.
 * @param model what transformers finds it by: a folder, or org/name
 */
export function pickledWeights(model: string, files: readonly string[]): string | undefined {
  const pickled = files.find((name) => /\.(bin|pt|pth|ckpt)$/.test(name));
  if (pickled === undefined) return undefined;
  const tokenizer = files.some((name) => /^(tokenizer|spiece|vocab)\b/.test(name)) ? ", t.AutoTokenizer" : "";
  const classes = `[getattr(t, t.AutoConfig.from_pretrained(m).architectures[0])${tokenizer}]`;
  const convert = `import transformers as t; m = ${JSON.stringify(model)}; [c.from_pretrained(m).save_pretrained("NEW") for c in ${classes}]`;
  return `holds its weights as ${pickled}, a pickle, which can run code when it is opened. Convert it once with transformers: python -c '${convert}', then use NEW.`;
}
