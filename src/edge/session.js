// Served as /.edgeward/session.js: warns a visitor before their sign-in ends, in every tab, and lets them stay.
//
//   <script src="/.edgeward/session.js" defer></script>
//
// What the page gets is under 3 KB: this file without its notes and long names, and `WORDS` replaced by the words in the
// visitor's language. It asks for nothing but /.edgeward/session, keeps nothing, and works under `script-src 'self'`: its
// style is a sheet that it constructs, in a shadow root of its own. Times are differences from what the server says. Only a
// tab that is seen does anything.
if (top === self && !document.edgeward) {
  document.edgeward = 1;

  const AHEAD = 120; // seconds before the end at which it warns; fewer where half of the idle time is
  const LAST = 30; // seconds before the end from which on it waits for nobody
  const PAUSE = 3e3; // milliseconds without a key that make a pause in typing
  const ASTRAY = 9e3; // milliseconds between two ticks after which the device slept, or its clock was set

  const [lang, dir, soon, endsIn, forms, stays, leaves, goesOn, ended, again] = WORDS;
  const site = "/.edgeward/";
  const tabs = new BroadcastChannel("edgeward");
  let [ends, ahead, asked, ticked, typed] = [0, 0, 0, 0, 0];
  let user, session, timer, before, said;
  let quiet = AHEAD; // seconds left from which on it may show: fewer once it was put away

  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "open" });
  const make = (name, into) => into.appendChild(document.createElement(name));
  const dialog = make("dialog", root);
  const [title, text, stay, leave, live] = ["h2", "p", "button", "button", "i"].map((name) => make(name, dialog));
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(
    // Shown without taking the focus it is not modal, and stands in a corner.
    "dialog{position:fixed;inset:auto 1em 1em auto;z-index:2147483647;max-width:min(24em,80%);border-radius:9px;" +
      "font:1rem/1.5 system-ui;color-scheme:light dark}:modal{inset:0}h2,p{margin:0 0 1rem}" +
      "button{font:inherit;padding:.6em 1em;margin-inline-end:1em}i{position:absolute;opacity:0}",
  );
  root.adoptedStyleSheets = [sheet];
  host.lang = lang;
  host.dir = dir;
  leave.textContent = leaves;
  live.role = "status"; // read out now and then, not each second

  const isEditing = () => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at?.matches(":read-write,select,iframe");
  };

  const close = () => {
    if (root.activeElement) before?.focus();
    dialog.close();
  };

  const putAway = () => {
    quiet = session && Date.now() < ends - LAST * 1e3 ? LAST : -1;
    close();
  };

  const show = (left, words) => {
    dialog.ariaLabel = words;
    const isBusy = isEditing();
    if (!dialog.open && left <= quiet && !(isBusy && left > LAST && Date.now() - typed < PAUSE)) {
      document.documentElement.append(host);
      before = document.activeElement;
      said = isBusy ? AHEAD * 2 : left;
      // To open it by its attribute moves no focus.
      if (isBusy) dialog.setAttribute("open", "");
      else dialog.showModal();
    }
    if ([AHEAD, 60, LAST, 10].some((mark) => left <= mark && said > mark)) {
      said = left;
      live.textContent = words;
    }
  };

  const tick = () => {
    clearTimeout(timer);
    if (document.hidden || !user) return;
    timer = setTimeout(tick, 1e3);
    const now = Date.now();
    const left = session ? Math.max(0, Math.ceil((ends - now) / 1e3)) : 0;
    const isAstray = Math.abs(now - ticked) > ASTRAY;
    ticked = now;
    // It is asked again before it warns, and while it does: another tab, or the page itself, may have renewed it.
    if (session && (isAstray || (left <= ahead && now - asked > (dialog.open && left ? 2e4 : 2e3)))) return ask();
    if (left > ahead) {
      quiet = AHEAD;
      return close();
    }
    title.textContent = session ? soon : ended;
    const form = forms[new Intl.PluralRules(lang).select(left)] ?? forms.other;
    text.textContent = session && endsIn.replace("{left}", form.replace("{n}", left));
    stay.textContent = session ? (session.can_extend ? stays : goesOn) : again;
    leave.hidden = !session;
    show(left, `${title.textContent}. ${text.textContent}`);
  };

  /** Takes what the server said: the session, or null where there is none. */
  const learn = (said) => {
    // Somebody else signed in: what this page shows is not theirs.
    if (user && said?.user !== user) said = null;
    if (!said && session) quiet = AHEAD;
    session = said;
    ticked = Date.now();
    if (said) {
      user = said.user;
      ends = ticked + Math.min(said.expires_in, said.idle_in) * 1e3;
      ahead = Math.min(AHEAD, Math.max(ahead, said.idle_in / 2));
    }
    tick();
  };

  const ask = async (method) => {
    asked = ticked = Date.now();
    const answer = await fetch(site + "session", { method, cache: "no-store" }).catch(() => 0);
    if (answer.ok || answer.status === 401) {
      const said = answer.ok ? await answer.json() : null;
      tabs.postMessage(said);
      learn(said);
    }
  };

  const look = () => document.hidden || ask();
  // 0: somebody signs out. How that ends only the server knows.
  tabs.onmessage = ({ data }) => (data === 0 ? [1e3, 5e3].map((millis) => setTimeout(look, millis)) : learn(data));
  stay.onclick = () => {
    // In a tab of its own: what was typed into this one stays.
    if (!session) open(site + "sign-in?tab=1");
    else if (session.can_extend) ask("POST");
    else putAway();
  };
  leave.onclick = () => {
    tabs.postMessage(0);
    const form = make("form", host);
    form.method = "post";
    form.action = site + "sign-out";
    form.submit();
  };
  dialog.oncancel = putAway;
  // Listeners, as what a handler returns may prevent what the browser would do.
  dialog.addEventListener("keydown", ({ key }) => key === "Escape" && putAway());
  dialog.addEventListener("click", ({ target }) => target === dialog && putAway());
  addEventListener("input", () => (typed = Date.now()), true);
  ["focus", "visibilitychange"].map((name) => addEventListener(name, look));
  look();
}
