// What the package offers. No logic.
export { createPlainBackend, type PlainBackendOptions } from "./plain/plain-backend.ts";
