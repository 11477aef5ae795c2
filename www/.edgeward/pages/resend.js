/*
  What was being posted when the sign-in ended can be sent once more as long as this page is not left: signs in by fetch
  and reloads, and the browser offers to send it again. What else comes of it is a page of ours: its words and its form
  take the place of these.
*/
(() => {
  const find = (name, at = document) => at.querySelector(name);
  const headline = find("h1");
  const load = (url, body) => fetch(url, { method: body ? "POST" : "GET", body, headers: { accept: "text/html" } });
  const show = (form, page) => {
    const next = find(".ask", page);
    const text = find("h1 + p", page);
    document.title = page.title;
    headline.textContent = find("h1", page).textContent;
    if (!next) {
      find(".error", form).textContent = text.textContent;
      /* As if the page had just been shown: the button is free again. */
      dispatchEvent(new Event("pageshow"));
      return;
    }
    find("h1 + p")?.remove();
    if (text) { headline.after(text); }
    next.prepend(find(".note"));
    next.target = form.target;
    form.replaceWith(next);
    next.dispatchEvent(new Event("ask", { bubbles: true }));
    watch(next);
    find("[autofocus]", next).focus();
  };
  const watch = (form) => form.addEventListener("submit", async (event) => {
    const body = new URLSearchParams(new FormData(form));
    event.preventDefault();
    body.delete("tab");
    try {
      let response = await load(form.action, body);
      if (response.ok) {
        const answer = await response.json();
        if (answer.signed_in) { location.reload(); return; }
        response = await load(form.action + "?return_to=" + encodeURIComponent(body.get("return_to")));
      }
      show(form, new DOMParser().parseFromString(await response.text(), "text/html"));
    } catch { form.submit(); }
  });
  find(".unscripted").remove();
  watch(find(".ask"));
})();
