// Safetensors files on a disk. Node only.
import { writeFileSafely } from "../safe-write.ts";
import { openFile } from "./file-source.ts";
import { openSafetensors, type Safetensors } from "./safetensors.ts";
import { safetensorsChunks, type TensorToStore } from "./safetensors-layout.ts";

/**
 * Opens a safetensors file of this machine; tensors are read when they are asked for.
 * @throws FormatError if there is no such file, or it is not a sound safetensors file
 */
export const openSafetensorsFile = async (path: string): Promise<Safetensors> => openSafetensors(await openFile(path));

/**
 * Writes the file tensor by tensor, and puts it in its place at once.
 * @throws StorageError if it cannot be written
 */
export const writeSafetensorsFile = (
  path: string,
  tensors: Iterable<TensorToStore>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> => writeFileSafely(path, safetensorsChunks(tensors, metadata));
