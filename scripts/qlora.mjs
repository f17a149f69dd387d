// The `qlora` command from a clone, with the arguments given. `npm run qlora -- train …`
import { command } from "./command.mjs";

await command(process.argv.slice(2));
