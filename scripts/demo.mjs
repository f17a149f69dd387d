// `npm run demo`: the command's demo, as text wherever it goes: it is there to be looked at.
import { command } from "./command.mjs";

const words = process.argv.slice(2);
await command(["demo", ...(words.includes("--json") ? [] : ["--no-json"]), ...words]);
