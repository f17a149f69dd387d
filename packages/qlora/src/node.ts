// What the package offers in Node besides: files and folders. No logic.
export { type DataFile, type DataPaths, findData, readDataFile } from "./data/read-file.ts";
export { type QuantizedFolderOptions, writeQuantizedFolder } from "./formats/bitsandbytes/quantized-folder.ts";
export { type FileHash, hashFile, hashFiles } from "./formats/file-hash.ts";
export { openFile } from "./formats/file-source.ts";
export { writeGgufFile } from "./formats/gguf-writer/gguf-file.ts";
export { openFolder } from "./formats/node-folder.ts";
export { writePeftAdapter, writePeftFiles } from "./formats/peft-writer.ts";
export { openSafetensorsFile, writeSafetensorsFile } from "./formats/safetensors-file.ts";
export { type Hub, type HubToken, openHub } from "./hub/hub.ts";
export { type HubDataPaths, hubData } from "./hub/hub-data.ts";
export { type HubModelOptions, hubModel } from "./hub/hub-model.ts";
export { type HubName, parseHubName } from "./hub/hub-name.ts";
export type { DownloadListener, DownloadPlan } from "./hub/snapshot.ts";
export { type ModelFolderOptions, writeModelFolder } from "./merge/model-folder.ts";
export { memoryBudget } from "./plan/memory-budget.ts";
export { removeLeftovers, settleFolder, writeFileSafely, writeFolderSafely } from "./safe-write.ts";
