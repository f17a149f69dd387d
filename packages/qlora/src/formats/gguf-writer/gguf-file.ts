// GGUF files on a disk. Node only.
import { writeFileSafely } from "../../safe-write.ts";
import { type GgufTensor, ggufChunks } from "./gguf-layout.ts";
import type { GgufMetadata } from "./gguf-value.ts";

/**
 * Writes the file tensor by tensor, and puts it in its place at once.
 * @throws StorageError if it cannot be written
 */
export const writeGgufFile = (path: string, metadata: GgufMetadata, tensors: readonly GgufTensor[]): Promise<void> =>
  writeFileSafely(path, ggufChunks(metadata, tensors));
