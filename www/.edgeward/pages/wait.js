/*
  Counts down, and gives the way free when it is time: to the clock, so that a sleeping device does not wait longer.
*/
(() => {
  const left = document.querySelector(".wait");
  const button = document.querySelector(".button");
  const url = button.getAttribute("href");
  const end = Date.now() + left.dataset.seconds * 1000;
  const say = (number, unit) => {
    const form = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, unitDisplay: "long" });
    const text = form.format(number);
    if (left.textContent !== text) { left.textContent = text; }
  };
  const tick = () => {
    const seconds = Math.ceil((end - Date.now()) / 1000);
    if (seconds > 90) { say(Math.ceil(seconds / 60), "minute"); } else { say(Math.max(seconds, 0), "second"); }
    if (seconds > 0) { return; }
    clearInterval(timer);
    left.parentNode.hidden = true;
    button.setAttribute("href", url);
    button.removeAttribute("role");
    button.removeAttribute("aria-disabled");
    if (document.activeElement === document.body) { button.focus(); }
  };
  const timer = setInterval(tick, 250);
  button.removeAttribute("href");
  button.setAttribute("role", "link");
  button.setAttribute("aria-disabled", "true");
  tick();
})();
