// A folder of a web server as the library sees folders. A server lists nothing, so the names are given.
import { type Folder, memoryFolder } from "@qlora-js/qlora";

/** Reads all files at once: these are small. */
export async function fetchFolder(url: URL, names: readonly string[]): Promise<Folder> {
  const files = await Promise.all(names.map(async (name) => [name, await fetchBytes(new URL(name, url))] as const));
  return memoryFolder(new Map(files), url.pathname);
}

export const fetchText = async (url: URL): Promise<string> => new TextDecoder().decode(await fetchBytes(url));

async function fetchBytes(url: URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname}: the server says ${response.status}. Build the page again with npm run browser.`);
  return new Uint8Array(await response.arrayBuffer());
}
