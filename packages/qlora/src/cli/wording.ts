// How numbers are worded for a person.

/** `1 902`: thousands apart by a narrow space that does not break. */
export const count = (n: number): string => String(Math.round(n)).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");

/** `46.2 %` of a share in 0…1. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** `2.0e-4`, as learning rates are said; `0` for none. */
export const rate = (value: number): string => (value === 0 ? "0" : value.toExponential(1));

/** `0:42`, `10:36`, `2:03:10`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** One row or two rows. */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** On one line, at most so long; what is cut shows as `…`. */
export function oneLine(text: string, length: number): string {
  const flat = text.replace(/\s+/g, " ");
  return flat.length > length ? `${flat.slice(0, Math.max(0, length - 1))}…` : flat;
}
