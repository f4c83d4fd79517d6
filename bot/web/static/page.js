"use strict";
// The next card is there before it is asked for, and what was decided is sent while it is read. Keys press
// the buttons that are on the page. Without this file, every button is a form of its own and works as well.
(() => {
  const stage = document.getElementById("stage");
  const notice = document.getElementById("notice");
  const alarm = document.getElementById("alarm");
  const AHEAD = 2; // cards that are kept ready
  const passed = new Set((stage?.dataset.skip ?? "").split(",").filter(Boolean)); // not to be shown again
  const decided = []; // what undo takes back, the newest last: {id, sent}
  const ahead = []; // promises of cards
  let fetched = Promise.resolve(); // one after another: each must know what is taken
  let ended = false; // the queue had no more
  let open = 0; // decisions that are on their way

  const current = () => stage?.querySelector(".card");
  const say = (line) => { alarm.textContent = ""; notice.textContent = line; };
  const warn = (line) => { notice.textContent = ""; alarm.textContent = line; };
  const parse = (html) => new DOMParser().parseFromString(html, "text/html").body.firstElementChild;

  async function send(path, body) {
    let answer;
    try {
      answer = await fetch(path, {
        method: body ? "POST" : "GET", body, redirect: "error",
        keepalive: `${body ?? ""}`.length < 60000, // it is sent even if the page is left
        headers: { accept: body ? "application/json" : "text/html" },
      });
    } catch {
      return { ok: false, said: "The network failed: nothing is known to be decided. Look again." };
    }
    if (!body) return { ok: answer.ok, status: answer.status, html: answer.ok ? await answer.text() : "" };
    return { ok: answer.ok, status: answer.status, ...(await answer.json().catch(() => ({ said: "No answer." }))) };
  }

  // what comes next

  async function fetchCard() {
    const taken = [...passed].slice(-300).join(",");
    const asked = new URLSearchParams({ bot: stage.dataset.bot, skip: taken });
    const { ok, html } = await send(`/review/card?${asked}`);
    const card = ok && html ? parse(html) : null;
    if (card) passed.add(card.dataset.id);
    ended = ok && !html;
    if (!ok) warn("The next card could not be fetched: load the page again.");
    return card;
  }

  function prepare() {
    while (ahead.length < AHEAD && !ended) {
      fetched = fetched.then(() => (ended ? null : fetchCard()));
      ahead.push(fetched);
    }
  }

  async function showNext() {
    prepare();
    stage.replaceChildren(); // what was decided is not there to be decided again
    stage.setAttribute("aria-busy", "true");
    const card = (await ahead.shift()) ?? null;
    if (!current()) show(card); else if (card) ahead.unshift(Promise.resolve(card)); // one was put back
    stage.removeAttribute("aria-busy");
    prepare();
  }

  function show(card) {
    stage.replaceChildren(card ?? document.getElementById("nothing").content.cloneNode(true));
    scrollTo(0, 0);
    (stage.querySelector("h1") ?? stage).focus({ preventScroll: true });
  }

  function putBack(card) { // somebody shall look again: before all others
    const now = current();
    if (now) ahead.unshift(Promise.resolve(now));
    ended = false;
    show(card);
  }

  // what is decided

  function decide(form, button) {
    const card = form.closest(".card"), body = new URLSearchParams(new FormData(form, button));
    const path = button?.getAttribute("formaction") ?? form.getAttribute("action");
    const id = card.dataset.id, stays = button?.dataset.stays !== undefined || form.dataset.stays !== undefined;
    passed.add(id);
    open += 1;
    const sent = send(path, body).finally(() => { open -= 1; });
    if (!stays) {
      decided.push({ id, sent });
      say(`${button?.dataset.done ?? form.dataset.done ?? "Done"}: draft ${id}`);
      showNext();
    }
    sent.then((answer) => settle(answer, card, stays));
  }

  function settle(answer, card, stays) {
    const now = answer.card ? parse(answer.card) : card;
    if (answer.ok) {
      if (stays) { current() === card ? card.replaceWith(now) : null; say(answer.said); now.querySelector("h1")?.focus(); }
      return;
    }
    const at = decided.findIndex((one) => one.id === card.dataset.id);
    if (at >= 0) decided.splice(at, 1);
    if (current() === card) card.replaceWith(now); else putBack(now);
    warn(answer.said);
    if (answer.status === 401) location.assign("/login");
  }

  async function undo(form) {
    await decided.pop()?.sent;
    const answer = await send("/undo", new URLSearchParams(new FormData(form)));
    if (!answer.ok) return warn(answer.said);
    putBack(parse(answer.card));
    say(answer.said);
  }

  async function suggest(form, button) { // how the text could go on from the cursor
    const field = form.querySelector("textarea"), list = form.querySelector(".grown");
    const body = new URLSearchParams(new FormData(form));
    body.set("text", field.value.slice(0, field.selectionEnd));
    say("Growing ...");
    const answer = await send(button.getAttribute("formaction"), body);
    if (!answer.ok) return warn(answer.said);
    const choose = (label, text, why) => {
      const choice = Object.assign(document.createElement("button"), { type: "button", title: why ?? "" });
      choice.append(Object.assign(document.createElement("bdi"), { textContent: label, dir: "auto" }));
      choice.classList.toggle("asks", Boolean(why));
      choice.addEventListener("click", () => { field.value = text; field.focus(); });
      return choice;
    };
    const next = Object.assign(document.createElement("div"), { className: "chips" });
    next.append(...answer.next.map((it) => choose(it.token, it.text)));
    list.replaceChildren(next, ...answer.texts.map((it) => choose(it.text, it.text, it.why)));
    say(answer.said);
    list.querySelector(":scope > button")?.focus();
  }

  function write(details) { // at the end of what is there
    const field = details.querySelector("textarea, input:not([type=hidden])");
    if (!field || field === document.activeElement) return;
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  // who is listened to

  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    if (button?.dataset.grow !== undefined) { event.preventDefault(); suggest(form, button); return; }
    if (!current() || stage.dataset.bot === undefined) return;
    if (form.matches("[data-undo]")) { event.preventDefault(); undo(form); }
    else if (form.closest(".card")) { event.preventDefault(); decide(form, button); }
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-skip]");
    if (!link || stage?.dataset.bot === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    passed.add(current().dataset.id);
    say(`Passed over: draft ${current().dataset.id}`);
    showNext();
  });

  document.addEventListener("toggle", (event) => {
    if (event.target.open) write(event.target);
  }, true);

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("input, textarea, select");
    if (typing && event.key === "Escape") {
      event.target.closest("details")?.removeAttribute("open");
      event.target.blur();
      return;
    }
    if (typing && event.ctrlKey && event.key === "Enter") event.target.form?.requestSubmit();
    const grow = typing && event.ctrlKey && event.target.form?.querySelector("[data-grow]");
    if (grow && event.key === grow.dataset.key) { event.preventDefault(); grow.click(); return; }
    if (event.altKey && event.key.startsWith("Arrow")) {
      const move = event.target.closest?.("[data-row]")?.querySelector(`[data-move="${event.key}"]`);
      if (move) { event.preventDefault(); move.click(); }
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const wanted = [...document.querySelectorAll("[data-key]")].find((it) => it.dataset.key === event.key);
    if (!wanted) return;
    event.preventDefault();
    const closed = wanted.matches("summary") ? null : wanted.closest("details:not([open])");
    if (closed) { closed.open = true; write(closed); }
    if (wanted.matches("input")) wanted.focus(); else wanted.click();
    if (wanted.matches("details[open] > summary")) write(wanted.parentElement); // before the next key comes
  });

  addEventListener("beforeunload", (event) => { if (open) event.preventDefault(); });

  document.querySelector("[data-focus]")?.focus();
  if (stage?.dataset.bot !== undefined && current()) {
    passed.add(current().dataset.id);
    prepare();
  }
})();
