// The one list of formats, for names that come from a command line or a file. Code that knows its format calls nf4() and its like.
import { ArgumentError } from "../error.ts";
import { e3m0 } from "./e3m0.ts";
import type { QFormat, QFormatName, QFormatOptions } from "./format.ts";
import { fp4 } from "./fp4.ts";
import { int4 } from "./int4.ts";
import { nf4 } from "./nf4.ts";

const FORMATS = { nf4, fp4, int4, e3m0 } satisfies Record<QFormatName, (options?: QFormatOptions) => QFormat>;

const isName = (name: string): name is QFormatName => Object.hasOwn(FORMATS, name);

/** The format of that name. @throws ArgumentError for a name or block size that is none */
export function namedFormat(name: string, options?: QFormatOptions): QFormat {
  if (!isName(name))
    throw new ArgumentError("namedFormat", "name", name, `there is no format "${name}". Use one of ${Object.keys(FORMATS).join(", ")}.`);
  return FORMATS[name](options);
}
