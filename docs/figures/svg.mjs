// SVG as text, for figures that are read on light and on dark paper: colours are classes, and the reader's system decides.
// One palette for all figures: blue, orange, green and grey, told apart also by those who see few colours, because marks are named where they stand.

const STYLE = `
  .paper { fill: none } text { font: 13px system-ui, sans-serif; fill: #2b2f33 } .quiet { fill: #6a7178 } .small { font-size: 11.5px } .title { font-weight: 600 }
  .axis { stroke: #8a9199; stroke-width: 1; fill: none } .grid { stroke: #8a9199; stroke-opacity: .25; stroke-width: 1 }
  .f0 { fill: #2f6fd0 } .f1 { fill: #d9822b } .f2 { fill: #2c9a5b } .f3 { fill: #8d949b } .f4 { fill: #8f5bd0 } .f5 { fill: #c7425a } .f6 { fill: #2aa3b5 } .f7 { fill: #b3a13a }
  .s0 { stroke: #2f6fd0 } .s1 { stroke: #d9822b } .s2 { stroke: #2c9a5b } .s3 { stroke: #8d949b } .s4 { stroke: #8f5bd0 } .s5 { stroke: #c7425a }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round } .dim { fill-opacity: .35 }
  @media (max-width: 480px) { text { font-size: 19px } .small { font-size: 18px } }
  @media (prefers-color-scheme: dark) {
    text { fill: #dfe2e6 } .quiet { fill: #9aa3ac }
    .f0 { fill: #6ea3f5 } .f1 { fill: #f0a35a } .f2 { fill: #5cc689 } .f3 { fill: #9aa3ac } .f4 { fill: #b48cf0 } .f5 { fill: #ee7c90 } .f6 { fill: #5fcbdb } .f7 { fill: #d8c65c }
    .s0 { stroke: #6ea3f5 } .s1 { stroke: #f0a35a } .s2 { stroke: #5cc689 } .s3 { stroke: #9aa3ac } .s4 { stroke: #b48cf0 } .s5 { stroke: #ee7c90 }
  }`.replaceAll(/\s*\n\s*/g, " ");

const number = (value) => String(Math.round(value * 100) / 100);
const escaped = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** A figure: what it says to those who cannot see it, its size, and what is in it. */
export const figure = (said, width, height, parts) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(said)}"><style>${STYLE}</style>\n${parts.flat(Number.POSITIVE_INFINITY).filter(Boolean).join("\n")}\n</svg>\n`;

export const text = (x, y, said, { anchor = "start", kind = "", turn } = {}) =>
  `<text x="${number(x)}" y="${number(y)}" text-anchor="${anchor}"${kind ? ` class="${kind}"` : ""}${turn ? ` transform="rotate(${turn} ${number(x)} ${number(y)})"` : ""}>${escaped(said)}</text>`;

export const box = (x, y, width, height, kind) =>
  `<rect x="${number(x)}" y="${number(y)}" width="${number(Math.max(0, width))}" height="${number(Math.max(0, height))}" class="${kind}"/>`;

export const segment = (x1, y1, x2, y2, kind) => `<path d="M${number(x1)} ${number(y1)}L${number(x2)} ${number(y2)}" class="${kind}"/>`;

export const curve = (points, kind) => `<path d="M${points.map(([x, y]) => `${number(x)} ${number(y)}`).join("L")}" class="line ${kind}"/>`;

export const dot = (x, y, radius, kind) => `<circle cx="${number(x)}" cy="${number(y)}" r="${radius}" class="${kind}"/>`;

/** From values to places: linear, or by the logarithm. */
export const scale =
  ([from, to], [low, high], by = (v) => v) =>
  (value) =>
    low + ((by(value) - by(from)) / (by(to) - by(from))) * (high - low);
