// An adapter's folder of any kind that is read: PEFT's, or MLX's as PEFT would have it.
import type { ModelConfig } from "../config/model-config.ts";
import { linearModules } from "../config/model-parts.ts";
import { wholeTensors } from "../config/savable-tensors.ts";
import type { Folder } from "./folder.ts";
import { isMlxAdapter, openMlxAdapter } from "./open-mlx-adapter.ts";
import { openPeftAdapter, type PeftAdapter } from "./peft-adapter.ts";
import type { ParsePeftOptions } from "./peft-config.ts";

/**
 * Opens an adapter for a model.
 * @throws UsageError, AdapterMismatchError, FormatError as `openPeftAdapter`
 */
export function openAdapter(folder: Folder, config: ModelConfig, options: ParsePeftOptions = {}): Promise<PeftAdapter> {
  if (isMlxAdapter(folder)) return openMlxAdapter(folder, linearModules(config));
  return openPeftAdapter(
    folder,
    linearModules(config),
    (settings, targets, where) => wholeTensors(settings, config, targets, where),
    options,
  );
}
