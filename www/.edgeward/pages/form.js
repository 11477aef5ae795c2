/*
  Makes signing in quicker: shows the password, says that Caps Lock is on, keeps the fragment of the address, and sends
  once however often the button is pressed. The page is whole without it. Each statement ends in ";": line ends and spaces
  around signs are left out when the page is kept.
*/
(() => {
  const secret = (input, show, caps) => {
    const titles = [show.title, show.dataset.hide];
    show.hidden = false;
    show.onclick = () => {
      const on = show.classList.toggle("on");
      input.type = on ? "text" : "password";
      show.title = titles[+on];
    };
    /* What a browser fills in comes as events without a keyboard. */
    const look = (event) => {
      const text = event.getModifierState?.("CapsLock") ? caps.dataset.text : "";
      if (caps.textContent !== text) { caps.textContent = text; }
    };
    ["keydown", "keyup", "mousedown", "blur"].forEach((type) => input.addEventListener(type, look));
  };
  const quicken = (form) => {
    const find = (name) => form.querySelector(name);
    const show = find(".show");
    const button = find(".button");
    const label = button.textContent;
    if (show) { secret(find("#password"), show, find("#caps")); }
    form.addEventListener("submit", (event) => {
      const back = find("[name=return_to]");
      if (button.hasAttribute("aria-disabled")) {
        event.stopImmediatePropagation();
        event.preventDefault();
        return;
      }
      if (!back.value.includes("#")) { back.value += location.hash; }
      if (show && show.classList.contains("on")) { show.click(); }
      button.setAttribute("aria-disabled", "true");
      button.textContent = button.dataset.busy;
    });
    addEventListener("pageshow", () => {
      button.removeAttribute("aria-disabled");
      button.textContent = label;
    });
  };
  document.querySelectorAll(".ask").forEach(quicken);
  document.addEventListener("ask", (event) => quicken(event.target));
})();
