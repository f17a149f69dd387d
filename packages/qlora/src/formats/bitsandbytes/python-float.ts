// A number as Python's repr writes it, which its json uses: the shortest digits that say it, as in JavaScript, with an exponent below 1e-4 and from 1e16 on.

/** @param value a finite number, taken as a float: 3 is `3.0` */
export function pythonFloat(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  const magnitude = Math.abs(value);
  if (value !== 0 && (magnitude < 1e-4 || magnitude >= 1e16)) {
    const [digits = "", exponent = ""] = value.toExponential().split("e");
    return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
  }
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}
