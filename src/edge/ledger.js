// The Durable Object behind EDGEWARD_LEDGER: what must be counted exactly, or known everywhere at once.
//
// It knows counts and marks by name and how long each is to be kept, and nothing of what they mean. An object runs one
// call at a time up to its first wait, and no method here waits between reading and writing: that is all the locking.
// Whoever calls chooses the object: one for each thing that is counted (`link:<id>`), one for all marks (`revocation`).
import { DurableObject } from "cloudflare:workers";

const FOR_EVER = 0;
const RESENT = 60; // seconds in which a form that is sent again, as by a double click, is the same use
const SECOND = 1000; // milliseconds

// One table for all: `used` times, last `at` (Unix milliseconds), kept `until` (Unix seconds, 0 for ever).
const TABLE = `
  CREATE TABLE IF NOT EXISTS kept (
    name TEXT PRIMARY KEY, used INTEGER NOT NULL, at INTEGER, until INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS ends ON kept (until) WHERE until > 0;`;

// What begins with this is counted; what begins with the other is marked. So no count can be taken for a mark.
const COUNT = "count:";
const MARK = "mark:";
const FORM = "form:";
const BEFORE = "before";

export class Ledger extends DurableObject {
  #sql;
  #isReady = false;

  constructor(ctx, env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
  }

  /**
   * Counts one use of `id`, never beyond `limit`, and remembers it until `expires` (Unix seconds, 0 for ever).
   * `{ ok, used, at }`: whether it was counted, how many are, and when the last one before this was (Unix milliseconds
   * or null). The same `form`, sent again by who `holds` what it gave, counts no second time: without that it would let in
   * any number of people. A use that could not be remembered, as `expires` is over, is not counted and not ok.
   */
  async spend(id, limit, expires, form, holds = false) {
    const [now, known] = [Date.now(), this.#count(id)];
    const { used, at } = known;
    const sent = form === undefined ? undefined : `${FORM}${text(form)}:${id}`;
    if (holds && sent !== undefined && this.#isKept(sent)) return { ok: true, used, at };
    if (used >= whole(limit) || isOver(seconds(expires), now)) return { ok: false, used, at };
    // One id has one end; should two be named, the later: forgetting early would give uses back.
    const until = known.until === FOR_EVER || expires === FOR_EVER ? FOR_EVER : Math.max(known.until ?? 0, expires);
    this.#change("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", COUNT + id, used + 1, now, until);
    if (sent !== undefined) this.#change("INSERT OR REPLACE INTO kept VALUES (?, 0, NULL, ?)", sent, thisSecond() + RESENT);
    await this.#wakeFor(sent === undefined ? until : thisSecond() + RESENT);
    return { ok: true, used: used + 1, at };
  }

  /** `{ used, at }` of `id`, without counting. */
  peek(id) {
    const { used, at } = this.#count(id);
    return { used, at };
  }

  /**
   * Keeps marks: entries `[name, until]`, Unix seconds, 0 for ever, null to take it out. The name `before` is a moment
   * instead: the latest that was ever given stays, until null takes it out.
   */
  async mark(entries) {
    const checked = entries.map(([name, value]) => [text(name), value === null ? null : seconds(value)]);
    this.ctx.storage.transactionSync(() => {
      for (const [name, value] of checked) this.#keep(name, value);
    });
    const ends = checked.filter(([name, value]) => name !== BEFORE && value > FOR_EVER).map(([, until]) => until);
    if (ends.length > 0) await this.#wakeFor(Math.min(...ends));
    return checked.length;
  }

  /** `{ marked, before }`: which of the names are marked, and the moment, or null. */
  marked(names) {
    const isMarked = (name) => this.#isKept(MARK + text(name));
    const [moment] = this.#rows("SELECT at FROM kept WHERE name = ?", BEFORE);
    return { marked: names.filter(isMarked), before: moment?.at ?? null };
  }

  /** Forgets what is over, and wakes for what ends next. An object that keeps nothing gives its storage back. */
  async alarm() {
    this.#change("DELETE FROM kept WHERE until > 0 AND until <= ?", thisSecond());
    const next = this.#rows("SELECT min(until) AS until FROM kept WHERE until > 0")[0]?.until ?? null;
    if (next !== null) return this.ctx.storage.setAlarm(next * SECOND);
    if (this.#rows("SELECT 1 FROM kept LIMIT 1").length > 0) return undefined;
    this.#isReady = false;
    return this.ctx.storage.deleteAll();
  }

  #isKept(name) {
    const query = "SELECT 1 FROM kept WHERE name = ? AND (until = 0 OR until > ?)";
    return this.#rows(query, name, thisSecond()).length > 0;
  }

  #count(id) {
    const query = "SELECT used, at, until FROM kept WHERE name = ? AND (until = 0 OR until > ?)";
    return this.#rows(query, COUNT + text(id), thisSecond())[0] ?? { used: 0, at: null };
  }

  #keep(name, value) {
    if (name === BEFORE && value !== null) {
      const latest = "INSERT INTO kept VALUES (?, 0, ?, 0) ON CONFLICT (name) DO UPDATE SET at = max(kept.at, excluded.at)";
      this.#change(latest, BEFORE, value);
    } else if (value === null) {
      this.#change("DELETE FROM kept WHERE name = ?", name === BEFORE ? BEFORE : MARK + name);
    } else if (!isOver(value, Date.now())) {
      this.#change("INSERT OR REPLACE INTO kept VALUES (?, 0, NULL, ?)", MARK + name, value);
    }
  }

  /** Asking about what was never kept makes no table: an object that keeps nothing costs nothing. */
  #rows(query, ...values) {
    if (!this.#isReady && !this.#hasTable()) return [];
    return this.#sql.exec(query, ...values).toArray();
  }

  #change(statement, ...values) {
    if (!this.#isReady) this.#sql.exec(TABLE);
    this.#isReady = true;
    this.#sql.exec(statement, ...values);
  }

  #hasTable() {
    this.#isReady = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'kept'").toArray().length > 0;
    return this.#isReady;
  }

  async #wakeFor(until) {
    if (until === FOR_EVER) return;
    const planned = await this.ctx.storage.getAlarm();
    if (planned === null || planned > until * SECOND) await this.ctx.storage.setAlarm(until * SECOND);
  }
}

const thisSecond = () => Math.floor(Date.now() / SECOND);

const isOver = (until, millis) => until !== FOR_EVER && until * SECOND <= millis;

// A caller's mistake is an error, which its caller takes for a store that does not answer.
function text(value) {
  if (typeof value !== "string") throw new TypeError("a name is text");
  return value;
}

function whole(value) {
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError("a count is a whole number");
  return value;
}

function seconds(value) {
  if (whole(value) > 253_402_300_799) throw new TypeError("a moment is Unix seconds");
  return value;
}
