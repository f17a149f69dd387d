// The names of the files that one large GGUF model is cut into: `model-00001-of-00003.gguf`. Source: llama.cpp's llama_split_path.
const PART = /^(.*-)(\d{5})-of-(\d{5})\.gguf$/i;

/** The names of all parts of the model that `file` is a part of, in order; undefined if it is named as none. */
export function ggufPartNames(file: string): string[] | undefined {
  const [, name = "", no, count] = PART.exec(file) ?? [];
  if (no === undefined || count === undefined || Number(no) < 1 || Number(no) > Number(count)) return undefined;
  const ending = file.slice(name.length + no.length);
  return Array.from({ length: Number(count) }, (_, i) => `${name}${String(i + 1).padStart(5, "0")}${ending}`);
}
