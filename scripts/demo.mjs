// `npm run demo`: the command's demo.
import { command } from "./command.mjs";

await command(["demo", ...process.argv.slice(2)]);
