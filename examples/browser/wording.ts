// Numbers as a person reads them.
const UNITS = ["bytes", "kB", "MB", "GB"] as const;

/** Decimal units, three digits: `20.4 MB`. */
export function showBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${UNITS[unit]}`;
}

export const count = (n: number): string => n.toLocaleString("en");

/** `126 ms`, or `3.73 s`. */
export const showSeconds = (seconds: number): string => (seconds < 1 ? `${(1000 * seconds).toFixed(0)} ms` : `${seconds.toPrecision(3)} s`);
