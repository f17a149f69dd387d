// What is going on on one backend at this moment: which scope is open, and whether ops are recorded. It hangs on the backend, a value, so that two
// backends know nothing of each other; all of it lives within one synchronous call.
import type { Backend } from "./backend.ts";
import type { Rehearsal } from "./rehearsal.ts";

/** Something a scope lets go of at its end. */
export interface Disposable {
  dispose(): void;
}

/** Everything made since the scope was opened. */
export interface OpenScope {
  readonly parent: OpenScope | null;
  readonly made: Set<Disposable>;
}

export interface Session {
  scope: OpenScope | null;
  /** "on": tracked ops leave nodes. "off": none does. "dry": none does, but that one would have is noted in `sawTracked`. */
  recording: "on" | "off" | "dry";
  sawTracked: boolean;
  /** The first run of a checkpoint, which is being noted. */
  rehearsing: Rehearsal | null;
  /** Its second run, which follows the notes. */
  replaying: Rehearsal | null;
  nextNodeId: number;
}

const sessions = new WeakMap<Backend, Session>();

export function sessionOf(backend: Backend): Session {
  let session = sessions.get(backend);
  if (!session) {
    session = { scope: null, recording: "on", sawTracked: false, rehearsing: null, replaying: null, nextNodeId: 0 };
    sessions.set(backend, session);
  }
  return session;
}

/** Runs fn with some of the session's fields changed, and puts them back whatever happens. */
export function within<T>(session: Session, change: Partial<Session>, fn: () => T): T {
  const before = { ...session };
  Object.assign(session, change);
  try {
    return fn();
  } finally {
    const { nextNodeId } = session;
    Object.assign(session, before, { nextNodeId });
  }
}
