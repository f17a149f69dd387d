// Bytes as printable characters, as GPT-2 writes them in its vocabulary: printable bytes of Latin-1 stand for themselves, the others follow U+0100 in order.
// Source: GPT-2's encoder.py (`bytes_to_unicode`), tokenizers' byte_level.rs.

const printable = (byte: number): boolean => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

const CHARACTERS: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();

const BYTES: ReadonlyMap<string, number> = new Map(CHARACTERS.map((character, byte) => [character, byte]));

/** The UTF-8 bytes of a text, a character for each. */
export function toByteCharacters(text: string): string {
  let written = "";
  for (const byte of new TextEncoder().encode(text)) written += CHARACTERS[byte];
  return written;
}

/** The bytes of a token; one that has a character which stands for no byte is text, and gives its UTF-8 bytes. */
export function bytesOfToken(token: string): ArrayLike<number> {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTES.get(character);
    if (byte === undefined) return new TextEncoder().encode(token);
    bytes.push(byte);
  }
  return bytes;
}
