// Keeps the page up to date: on each event of the log the fragments are fetched anew.
// The page is whole without this script.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live || !window.EventSource) return;
  const state = document.getElementById("live-state");
  const names = ["report-submitted", "target-changed", "unit-changed", "baseline-entered", "plan-amended", "deadline-extended", "alert-raised", "alert-resolved", "alert-acknowledged"];
  const pauseMs = 150;
  const patienceMs = 1000;
  let position = Number(live.dataset.position);
  let waiting = null;
  let first = 0;
  let busy = false;
  let again = false;

  // Somebody who is writing a note must not lose it.
  const isWriting = (section) => {
    const fields = section.querySelectorAll("textarea, input:not([type=hidden])");
    return [...fields].some((field) => field === document.activeElement || field.value !== "");
  };

  const put = (section, text) => {
    const open = [...section.querySelectorAll("details[open]")].map((item) => item.id);
    const scroller = section.querySelector(".scroll");
    const left = scroller ? scroller.scrollLeft : 0;
    const focused = section.contains(document.activeElement) ? document.activeElement.closest("[id]") : null;
    const before = new Map([...section.querySelectorAll("td.cell details")].map((item) => [item.id, item.querySelector("summary").textContent]));
    section.innerHTML = text;
    for (const id of open) {
      const item = document.getElementById(id);
      if (item) item.open = true;
    }
    for (const item of section.querySelectorAll("td.cell details")) {
      const text = item.querySelector("summary").textContent;
      if (before.size > 0 && before.get(item.id) !== text) item.parentElement.classList.add("changed");
    }
    const fresh = section.querySelector(".scroll");
    if (fresh) fresh.scrollLeft = left;
    const back = focused && document.getElementById(focused.id);
    if (back) (back.querySelector("summary") || back).focus({ preventScroll: true });
  };

  const refresh = async () => {
    waiting = null;
    if (busy) { again = true; return; }
    busy = true;
    first = 0;
    try {
      for (const name of ["matrix", "alerts"]) {
        const section = document.getElementById(name);
        if (name === "alerts" && isWriting(section)) { continue; }
        const answer = await fetch(`/fragments/${name}?lang=${live.dataset.lang}&at_least=${position}`, { headers: { Accept: "text/html" } });
        if (answer.status === 401) { location.assign(`/sign-in?lang=${live.dataset.lang}`); return; }
        if (answer.ok) put(section, await answer.text());
        else again = true;
      }
    } catch (_) {
      again = true;
    } finally {
      busy = false;
      if (again) { again = false; soon(patienceMs); }
    }
  };

  // Many events at once make one refresh, but a steady flow does not put it off for ever.
  const soon = (delayMs) => {
    const now = Date.now();
    if (first === 0) first = now;
    if (waiting !== null && now - first < patienceMs) clearTimeout(waiting);
    else if (waiting !== null) return;
    waiting = setTimeout(refresh, delayMs);
  };

  const source = new EventSource(`/api/v1/stream?last_event_id=${position}`);
  source.addEventListener("open", () => { state.textContent = live.dataset.live; });
  source.addEventListener("error", () => {
    state.textContent = live.dataset.notLive;
    // A browser does not come back by itself after an answer that is no stream. The page is asked for anew
    // rather than reloaded: the one that shows a refused form would send it again.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.assign(`/?lang=${live.dataset.lang}`), 5000);
  });
  for (const name of names) {
    source.addEventListener(name, (event) => {
      position = Math.max(position, Number(event.lastEventId));
      soon(pauseMs);
    });
  }
})();
