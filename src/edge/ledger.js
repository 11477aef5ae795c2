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

// What begins with one of these is counted, marked, a form or a try. So none can be taken for another.
const COUNT = "count:";
const MARK = "mark:";
const FORM = "form:";
const TRY = "try:";
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
    if (holds && sent !== undefined && this.#kept(sent) !== undefined) return { ok: true, used, at };
    if (used >= whole(limit) || isOver(seconds(expires), now)) return { ok: false, used, at };
    // One id has one end; should two be named, the later: forgetting early would give uses back.
    const until = known.until === FOR_EVER || expires === FOR_EVER ? FOR_EVER : Math.max(known.until ?? 0, expires);
    this.#put(COUNT + id, used + 1, now, until);
    if (sent !== undefined) this.#put(sent, 0, null, thisSecond() + RESENT);
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
   * instead: the latest that was ever given stays, until null takes it out. An entry `[name, until, at]` is a mark that
   * bears a moment (Unix seconds): of two such, the later moment and the later end stay.
   */
  async mark(entries) {
    const checked = entries.map(entry);
    this.ctx.storage.transactionSync(() => {
      for (const one of checked) this.#keep(...one);
    });
    await this.#wakeForMarks(checked);
    return checked.length;
  }

  /**
   * `{ marked, before, at }`: which of the names are marked, the moment `before` or null, and by name the moments of those
   * marks that bear one.
   */
  marked(names) {
    const kept = names.map((name) => [name, this.#mark(name)]).filter(([, mark]) => mark !== undefined);
    const moments = kept.filter(([, { at }]) => at !== null).map(([name, { at }]) => [name, at]);
    const [moment] = this.#rows("SELECT at FROM kept WHERE name = ?", BEFORE);
    return { marked: kept.map(([name]) => name), before: moment?.at ?? null, at: Object.fromEntries(moments) };
  }

  /**
   * Counts a try at `name`, before it is known whether it is right: so guesses that come at once count, too. `free` tries
   * are answered at once; from then on each is followed by a wait of `base` seconds that doubles up to `most`. What was
   * counted is kept for `keep` seconds after the last try.
   *
   * `{ allowed: true, used, at }`: how many were counted, this one among them, and when the last before it was (Unix
   * milliseconds or null); or `{ allowed: false, wait }`, seconds, where one has to wait: then nothing is counted.
   */
  attempt(name, free, base, most, keep) {
    return this.attempts([[name, free, base, most, keep]]);
  }

  /**
   * The same for several names at once: all are counted or none is. Each is `[name, free, base, most, keep]`, and may have
   * a sixth: the name of a mark under which it is left out. `used` and `at` are of the first, `wait` is the longest.
   */
  async attempts(entries) {
    const now = Date.now();
    const tries = entries.map(limits).filter(({ unless }) => unless === undefined || this.#mark(unless) === undefined);
    const known = tries.map((limit) => ({ ...limit, ...this.#count(limit.name, TRY) }));
    const wait = Math.max(0, ...known.map((one) => waitOf(one, now)));
    if (wait > 0) return { allowed: false, wait };
    const ends = known.map(({ keep }) => Math.ceil(now / SECOND) + keep);
    this.ctx.storage.transactionSync(() =>
      known.forEach(({ name, used }, index) => this.#put(TRY + name, used + 1, now, ends[index])),
    );
    if (ends.length > 0) await this.#wakeFor(Math.min(...ends));
    return { allowed: true, used: (known[0]?.used ?? 0) + 1, at: known[0]?.at ?? null };
  }

  /** Forgets the tries at a name, or at several: one was right. Keeps marks with it, as `mark` does. */
  async forget(names, entries = []) {
    const [forgotten, checked] = [[names].flat().map(text), entries.map(entry)];
    this.ctx.storage.transactionSync(() => {
      for (const name of forgotten) this.#delete(TRY + name);
      for (const one of checked) this.#keep(...one);
    });
    await this.#wakeForMarks(checked);
    return forgotten.length;
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

  #kept(name) {
    const query = "SELECT used, at, until FROM kept WHERE name = ? AND (until = 0 OR until > ?)";
    return this.#rows(query, name, thisSecond())[0];
  }

  #count(id, kind = COUNT) {
    return this.#kept(kind + text(id)) ?? { used: 0, at: null };
  }

  #mark(name) {
    return this.#kept(MARK + text(name));
  }

  #keep(name, value, moment) {
    if (name === BEFORE && value !== null) {
      const latest = "INSERT INTO kept VALUES (?, 0, ?, 0) ON CONFLICT (name) DO UPDATE SET at = max(kept.at, excluded.at)";
      this.#change(latest, BEFORE, value);
    } else if (value === null) {
      this.#delete(name === BEFORE ? BEFORE : MARK + name);
    } else if (!isOver(value, Date.now())) {
      this.#keepMark(name, value, moment);
    }
  }

  #keepMark(name, until, moment) {
    if (moment === undefined) return this.#put(MARK + name, 0, null, until);
    const known = this.#mark(name);
    const later = known?.until === FOR_EVER || until === FOR_EVER ? FOR_EVER : Math.max(known?.until ?? 0, until);
    return this.#put(MARK + name, 0, Math.max(known?.at ?? 0, moment), later);
  }

  #put(name, used, at, until) {
    this.#change("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", name, used, at, until);
  }

  /** Taking out what was never kept makes no table either. */
  #delete(name) {
    if (this.#isReady || this.#hasTable()) this.#change("DELETE FROM kept WHERE name = ?", name);
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

  async #wakeForMarks(entries) {
    const ends = entries.filter(([name, value]) => name !== BEFORE && value > FOR_EVER).map(([, until]) => until);
    if (ends.length > 0) await this.#wakeFor(Math.min(...ends));
  }

  async #wakeFor(until) {
    if (until === FOR_EVER) return;
    const planned = await this.ctx.storage.getAlarm();
    if (planned === null || planned > until * SECOND) await this.ctx.storage.setAlarm(until * SECOND);
  }
}

const thisSecond = () => Math.floor(Date.now() / SECOND);

const isOver = (until, millis) => until !== FOR_EVER && until * SECOND <= millis;

/** Seconds until the next try is answered; none where a free one is left. A clock that went back prolongs no wait. */
function waitOf({ used, at, free, base, most }, now) {
  if (used < free || at === null) return 0;
  const wait = Math.min(most, base * 2 ** (used - free));
  return Math.min(wait, Math.max(0, Math.ceil((at - now) / SECOND + wait)));
}

/** An entry of `attempts`. */
function limits([name, free, base, most, keep, unless]) {
  const numbers = { free: whole(free), base: whole(base), most: whole(most), keep: whole(keep) };
  return { name: text(name), ...numbers, unless: unless === undefined ? undefined : text(unless) };
}

/** An entry of `mark`. */
function entry([name, value, moment]) {
  return [text(name), value === null ? null : seconds(value), moment === undefined ? undefined : seconds(moment)];
}

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
