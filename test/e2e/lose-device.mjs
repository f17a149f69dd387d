// Preloaded into the command (NODE_OPTIONS=--import …): loses the GPU for good at one op of the first device, as a driver's reset would.
import { WebGpuBackend } from "@qlora-js/backend-webgpu";

const at = Number(process.env.QLORA_TEST_LOSE_AT);
const { run } = WebGpuBackend.prototype;
let runs = 0;
WebGpuBackend.prototype.run = function (...args) {
  if (++runs === at) this.device.destroy();
  return run.apply(this, args);
};
