export interface UnpackedChromium {
  readonly folder: string;
  readonly executable: string;
  /** Variables that a process needs from its start. */
  readonly environment: Readonly<Record<string, string>>;
}
export function unpackChromium(): Promise<UnpackedChromium | { readonly missing: string; readonly environment?: undefined }>;
export function gpuEnvironment(): Promise<Readonly<Record<string, string>>>;
