import type { CommandDefinition, Invocation } from "../command.ts";

const OPTIONS = {};
export const trainCommand: CommandDefinition<typeof OPTIONS> = {
  name: "train",
  args: "[model] [data]",
  summary: "Fine-tune",
  options: OPTIONS,
  takesConfig: true,
  run,
};
async function run(_: Invocation<typeof OPTIONS>): Promise<void> {}
