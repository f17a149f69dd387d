// A Web Worker; its start comes as the first message.
import { serve, type WorkerStart } from "./worker.ts";

globalThis.onmessage = ({ data }: MessageEvent<WorkerStart>) => {
  serve(data, () => globalThis.postMessage("ready"));
  globalThis.close();
};
