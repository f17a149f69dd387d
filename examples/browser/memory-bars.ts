// Bytes by component: a bar for each way to fine-tune, and a table of what each component is for.
import type { Component } from "@qlora-js/qlora";
import type { MethodBytes } from "./messages.ts";
import { showBytes } from "./wording.ts";

const TITLES: Readonly<Record<MethodBytes["method"], string>> = {
  full16: "Every weight, in 16 bits",
  lora: "LoRA over 16-bit weights",
  qlora: "QLoRA: LoRA over 4-bit weights",
};

const MEANINGS: Readonly<Record<Component, readonly [title: string, meaning: string]>> = {
  weights: ["Weights", "the model itself, frozen"],
  scales: ["Scales", "what the 4-bit codes are multiplied by"],
  embeddings: ["Embeddings", "a row of numbers for each token"],
  norms: ["Norms", "a few numbers that keep each layer in range"],
  adapter: ["Adapter", "the two small matrices beside each layer: what learns"],
  gradients: ["Gradients", "which way each trained number should move"],
  optimizer: ["Optimizer", "two running means for each trained number"],
  activations: ["Activations", "what the layers computed, kept for the way back"],
  head: ["Loss", "the scores of all possible next tokens"],
  transient: ["In passing", "what a layer needs for a moment"],
};

/** Bars of one common scale, the largest first as it comes. */
export function drawMemoryBars(bars: HTMLElement, methods: readonly MethodBytes[]): void {
  const most = Math.max(...methods.map(({ deviceBytes }) => deviceBytes));
  bars.replaceChildren(
    ...methods.map(({ method, components, deviceBytes }) => {
      const row = element("div", "bar-row");
      const bar = element("div", "bar");
      bar.style.width = `${(100 * deviceBytes) / most}%`;
      for (const [component, bytes] of shown(components)) {
        const part = element("span", `part ${component}`);
        part.style.flexGrow = String(bytes);
        part.title = `${MEANINGS[component][0]}: ${showBytes(bytes)}`;
        bar.append(part);
      }
      row.append(element("span", "bar-title", TITLES[method]), bar, element("span", "bar-bytes", showBytes(deviceBytes)));
      return row;
    }),
  );
}

/** What QLoRA's bytes are used for, next to the other two ways. */
export function drawMemoryTable(body: HTMLElement, methods: readonly MethodBytes[]): void {
  const all = [...new Set(methods.flatMap(({ components }) => shown(components).map(([component]) => component)))];
  const order = Object.keys(MEANINGS) as Component[];
  all.sort((a, b) => order.indexOf(a) - order.indexOf(b));
  body.replaceChildren(
    ...all.map((component) => {
      const [title, meaning] = MEANINGS[component];
      const row = element("tr");
      const name = element("th");
      name.scope = "row";
      name.append(element("span", `swatch ${component}`), title, element("small", "", meaning));
      row.append(
        name,
        ...methods.map(({ components }) => element("td", "", components[component] ? showBytes(components[component]) : "–")),
      );
      return row;
    }),
  );
}

const shown = (components: MethodBytes["components"]): [Component, number][] =>
  (Object.entries(components) as [Component, number][]).filter(([, bytes]) => bytes > 0);

function element<K extends keyof HTMLElementTagNameMap>(tag: K, className = "", text = ""): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
