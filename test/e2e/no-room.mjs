// Preloaded into the command (NODE_OPTIONS=--import …): a device whose room ends at one allocation.

import { OutOfMemoryError } from "@qlora-js/core";
import { CpuBackend } from "../../packages/backend-cpu/dist/backend.js";

const at = Number(process.env.QLORA_TEST_NO_ROOM_AT);
const { alloc } = CpuBackend.prototype;
let allocations = 0;
CpuBackend.prototype.alloc = function (byteLength) {
  if (++allocations >= at) throw new OutOfMemoryError("cpu", byteLength, this.memory().liveBytes, `no room for ${byteLength} bytes.`);
  return alloc.call(this, byteLength);
};
