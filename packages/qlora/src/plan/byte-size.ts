// Numbers of bytes as people write them.

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** `1500000`, `1.5MB`, `2 GiB` as bytes; NaN for anything else. */
export function parseBytes(text: string): number {
  const [, digits, unit = "b"] = /^\s*(\d+(?:\.\d+)?)\s*([kmg]?i?b)?\s*$/i.exec(text) ?? [];
  return digits === undefined ? Number.NaN : Math.round(Number(digits) * UNITS[unit.toLowerCase()]!);
}

/** `850 B`, `12.3 kB`, `52.1 MB`, `47.9 GB`, `790 GB`: three digits, in powers of ten. */
export function showBytes(bytes: number): string {
  const [unit, size] = (bytes < 1e3 ? ["B", 1] : bytes < 999.5e3 ? ["kB", 1e3] : bytes < 999.5e6 ? ["MB", 1e6] : ["GB", 1e9]) as [
    string,
    number,
  ];
  const value = bytes / size;
  return `${unit === "B" || value >= 99.95 ? Math.round(value) : value.toFixed(value < 9.995 ? 2 : 1)} ${unit}`;
}
