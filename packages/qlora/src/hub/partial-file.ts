// A download that is not whole yet: bytes on the disk, and the hash of them, which grows with them. It is gone on with by whoever comes later. Node only.
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { storageError } from "../safe-write.ts";
import { fileSize } from "./file-size.ts";
import type { RepositoryFile } from "./list-repository.ts";

const WRITE_BYTES = 1 << 20;

export class PartialFile {
  #handle: FileHandle | undefined;
  #hash: Hash;
  #bytes = 0;
  /** Bytes that are not written yet: connections bring small pieces, and each write has its price. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  private constructor(
    readonly path: string,
    readonly file: RepositoryFile,
  ) {
    this.#hash = contentHash(file);
  }

  /** Bytes that have come; they are all written once it is closed. */
  get bytes(): number {
    return this.#bytes;
  }

  get isWhole(): boolean {
    return this.#bytes === this.file.size;
  }

  /** Opens what is there, and reads it for its hash. One that is longer than it may be is begun anew. */
  static async open(path: string, file: RepositoryFile): Promise<PartialFile> {
    const partial = new PartialFile(path, file);
    await partial.#guarded(() => mkdir(dirname(path), { recursive: true }));
    const there = (await fileSize(path)) ?? 0;
    if (there > file.size) await partial.#guarded(() => rm(path, { force: true }));
    partial.#handle = await partial.#guarded(() => open(path, there > 0 && there <= file.size ? "r+" : "w"));
    if (there > 0 && there <= file.size) await partial.#guarded(() => partial.#take(there));
    return partial;
  }

  async #take(bytes: number): Promise<void> {
    for await (const chunk of createReadStream(this.path, { end: bytes - 1 })) {
      this.#hash.update(chunk as Uint8Array);
      this.#bytes += (chunk as Uint8Array).byteLength;
    }
  }

  /** @throws StorageError */
  async append(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#bytes += bytes.byteLength;
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.byteLength;
    if (this.#pendingBytes >= WRITE_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending);
    const from = this.#bytes - bytes.byteLength;
    [this.#pending, this.#pendingBytes] = [[], 0];
    await this.#guarded(async () => {
      for (let at = 0; at < bytes.byteLength; ) at += (await this.#handle!.write(bytes, at, bytes.byteLength - at, from + at)).bytesWritten;
    });
  }

  /** Forgets what is there. The file is another one then: who may still write to the old one does no harm. */
  async restart(): Promise<void> {
    [this.#pending, this.#pendingBytes] = [[], 0];
    await this.close();
    await this.#guarded(() => rm(this.path, { force: true }));
    this.#handle = await this.#guarded(() => open(this.path, "w"));
    this.#hash = contentHash(this.file);
    this.#bytes = 0;
  }

  /** The hash of a whole file, to be compared with its id. */
  digest(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Puts a whole file in its place, once it is on the disk. */
  async finish(target: string): Promise<void> {
    await this.#flush();
    await this.#guarded(() => this.#handle!.sync());
    await this.close();
    await this.#guarded(() => rename(this.path, target));
  }

  /** Writes what has come, and closes the file. */
  async close(): Promise<void> {
    const handle = this.#handle;
    try {
      if (handle && this.#pendingBytes > 0) await this.#flush();
    } finally {
      this.#handle = undefined;
      await handle?.close();
    }
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw storageError(this.path, cause);
    }
  }
}

/** SHA-256 of the content, or git's hash of a blob: SHA-1 of `blob <size>\0` and the content. */
function contentHash({ id, size }: RepositoryFile): Hash {
  return id.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`);
}
