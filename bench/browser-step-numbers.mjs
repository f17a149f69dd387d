// The network's size and numbers, the same for every contestant, and how a step is timed: the mean of as many as fill a fifth of a second.
export const [ROWS, IN, HIDDEN] = [64, 256, 512];
export const numbers = (n, seed) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 + seed * 78.233) / 20);

/** Says that it is ready, then answers each message with a measurement. @param step resolves with the loss when all gradients are there */
export function answerWith(step, more = {}) {
  globalThis.onmessage = async () => {
    let [steps, loss] = [0, 0];
    const start = performance.now();
    do {
      loss = await step();
      steps++;
    } while (performance.now() - start < 200);
    globalThis.postMessage({ milliseconds: (performance.now() - start) / steps, loss, ...more });
  };
  globalThis.postMessage("ready");
}
