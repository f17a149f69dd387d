// What a hub's refusal is to the user: its status and the reason in `X-Error-Code`, as one error that says what to do.
// Source for the codes: huggingface_hub 2.4, utils/_http.py (hf_raise_for_status). A hub says 401 for what does not exist, to those without a token.
import { HubError } from "../error.ts";
import { quoted } from "../formats/quoted.ts";
import type { Hub } from "./hub.ts";
import { type HubSource, kindWords, pageOf, sourceWords } from "./hub-source.ts";

/** The error of a response that is none of 200 and 206. @param what A file of the repository, where it was one. */
export function hubRefusal(hub: Hub, source: HubSource, response: Response, what?: string): HubError {
  const { status, headers } = response;
  const code = headers.get("x-error-code") ?? undefined;
  const fields = { status, ...(code === undefined ? {} : { code }) };
  const name = sourceWords(source);
  const error = (problem: HubError["problem"], text: string, more: object = {}) =>
    new HubError(name, problem, text, { ...fields, ...more });
  const host = new URL(hub.endpoint).host;
  const kind = kindWords(source);
  const token = hub.token ? `the token of ${hub.token.from}` : undefined;

  if (status === 429) return error("limited", `${host} has had too many requests (429).${limitAdvice(hub)}`, retryAfter(headers));
  if (status === 408 || status >= 500) {
    return error("server", `${host} has a fault (${status}). Try again later; --offline takes what is in the cache.`, retryAfter(headers));
  }
  if (code === "GatedRepo") {
    const then = token ? `then run this again; it was asked with ${token}` : "then put a token of that account into HF_TOKEN";
    return error("gated", `is shown only to those who have accepted its terms. Accept them at ${pageOf(hub, source)}, ${then}.`);
  }
  if (code === "RevisionNotFound")
    return error("revision", `has no revision ${quoted(source.revision)}. Give a branch, a tag or a commit.`);
  if (code === "EntryNotFound") return error("absent", `has no file ${what ?? "of that name"} at ${source.revision}.`, { file: what });
  const refused = /invalid credentials|invalid (user )?token|expired/i.test(headers.get("x-error-message") ?? "");
  if (status === 401 && token && refused) {
    return error("unauthorized", `${host} does not accept ${token} (401). Make another at ${hub.endpoint}/settings/tokens, or remove it.`);
  }
  if (status === 403) {
    const may = token ? `${token} may not read it` : "it may not be read without a token";
    return error("unauthorized", `${may} (403). Give HF_TOKEN one that may read ${pageOf(hub, source)}.`);
  }
  if (status === 401 || status === 404) {
    const see = token ? `that ${token} may see` : "that may be seen without a token";
    return error("absent", `${host} has no ${kind} of that name ${see} (${status}). Check the name; for a private one set HF_TOKEN.`);
  }
  return error("answer", `${host} answers with status ${status}, which is none that a hub gives here. Check HF_ENDPOINT.`);
}

const limitAdvice = (hub: Hub): string =>
  hub.token ? " Try again later." : " Try again later, or set HF_TOKEN: with an account there may be more.";

/** `Retry-After` in seconds, whether it is a number or a date (RFC 9110 §10.2.3). */
function retryAfter(headers: Headers): { readonly retryAfter?: number } {
  const value = headers.get("retry-after");
  if (value === null) return {};
  const seconds = /^\s*\d+\s*$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? { retryAfter: Math.max(0, Math.ceil(seconds)) } : {};
}
