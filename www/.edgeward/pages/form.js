/*
  Makes signing in quicker: shows the password, says that Caps Lock is on, keeps the fragment of the address, and sends
  once however often the button is pressed. The page is whole without it. Statements end in ";" and lines never do in a
  word that needs a space: line ends are left out when the page is kept.
*/
(() => {
  const password = (input, show, caps) => {
    const labels = [show.title, show.dataset.hide];
    show.hidden = false;
    show.onclick = () => {
      const shown = input.type === "password";
      input.type = shown ? "text" : "password";
      show.title = labels[+shown];
      show.setAttribute("aria-label", show.title);
      show.classList.toggle("on", shown);
    };
    const look = (event) => {
      const on = event.getModifierState && event.getModifierState("CapsLock");
      const text = on ? caps.dataset.text : "";
      if (caps.textContent !== text) { caps.textContent = text; }
    };
    input.onkeydown = look;
    input.onkeyup = look;
    input.onmousedown = look;
    input.onblur = () => { caps.textContent = ""; };
  };
  document.querySelectorAll(".ask").forEach((form) => {
    const button = form.querySelector(".button");
    const label = button.textContent;
    const input = form.querySelector("[type=password]");
    let sent = false;
    if (input) { password(input, form.querySelector(".show"), document.getElementById("caps")); }
    form.addEventListener("submit", (event) => {
      if (sent) { event.preventDefault(); event.stopImmediatePropagation(); return; }
      const back = form.elements.namedItem("return_to");
      if (!back.value.includes("#")) { back.value += location.hash; }
      sent = true;
      button.setAttribute("aria-disabled", "true");
      button.textContent = button.dataset.busy;
    });
    const ready = () => {
      sent = false;
      button.removeAttribute("aria-disabled");
      button.textContent = label;
    };
    form.addEventListener("ready", ready);
    addEventListener("pageshow", ready);
  });
})();
