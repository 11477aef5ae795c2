/*
  What was being posted when the sign-in ended can be sent once more as long as this page is not left: signs in by fetch
  and reloads, and the browser offers to send it again.
*/
(() => {
  const forms = document.querySelectorAll(".ask");
  const headline = document.querySelector("h1");
  const words = (name) => document.querySelector(`[data-error=${name}]`) || document.querySelector("[data-error=internal]");
  const say = (form, name, at) => {
    const said = words(name);
    headline.textContent = said.title;
    at.textContent = said.textContent;
  };
  const fail = (form, cause) => {
    const code = form.elements.namedItem("code");
    const input = code || form.elements.namedItem("password");
    const name = cause === "credentials-wrong" && code ? cause + "-code" : cause;
    say(form, name, form.querySelector(".error"));
    input.setAttribute("aria-invalid", "true");
    input.value = "";
    input.focus();
  };
  const ask = (form) => {
    forms.forEach((other) => { other.hidden = other !== form; });
    say(form, "second-factor-required", headline.nextElementSibling);
    form.elements.namedItem("code").focus();
  };
  document.querySelectorAll(".unscripted").forEach((it) => it.remove());
  forms.forEach((form) => form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    let answer = {};
    body.delete("tab");
    try {
      const response = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } });
      answer = await response.json();
    } catch (error) { answer.cause = "internal"; }
    if (answer.signed_in) { location.reload(); return; }
    form.dispatchEvent(new Event("ready"));
    if (answer.second_factor) { ask(forms[forms.length - 1]); } else { fail(form, answer.cause || "internal"); }
  }));
})();
