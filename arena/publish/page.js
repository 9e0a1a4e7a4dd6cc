"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  root.classList.add("js");

  // Language: what was chosen before, else what the browser asks for.
  const speak = (language) => {
    root.lang = language;
    for (const button of all("[data-lang]")) {
      button.setAttribute("aria-pressed", String(button.dataset.lang === language));
    }
  };
  const memory = { // A page opened from disk may have no storage.
    get: () => { try { return localStorage.getItem("arena-language"); } catch { return null; } },
    set: (value) => { try { localStorage.setItem("arena-language", value); } catch { /* forget */ } },
  };
  const asked = (navigator.language || "en").toLowerCase().startsWith("zh") ? "zh-Hans" : "en";
  const remembered = memory.get();
  speak(["en", "zh-Hans"].includes(remembered) ? remembered : asked);
  for (const button of all("[data-lang]")) {
    button.addEventListener("click", () => {
      speak(button.dataset.lang);
      memory.set(button.dataset.lang);
    });
  }

  // Tabs: without this script every ranking is shown, one under the other.
  for (const list of all("[role=tablist]")) {
    const tabs = all("[role=tab]", list);
    const open = (chosen) => {
      for (const tab of tabs) {
        const here = tab === chosen;
        tab.setAttribute("aria-selected", String(here));
        tab.tabIndex = here ? 0 : -1;
        document.getElementById(tab.getAttribute("aria-controls")).hidden = !here;
      }
    };
    tabs.forEach((tab, index) => {
      tab.addEventListener("click", () => open(tab));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = tabs[(index + step + tabs.length) % tabs.length];
        open(next);
        next.focus();
      });
    });
    open(tabs[0]);
  }

  // Sorting: the first click sorts the useful way, the next one the other way.
  const sort = (button) => {
    const head = button.closest("th");
    const body = head.closest("table").tBodies[0];
    const usual = button.dataset.sort === "down" ? "descending" : "ascending";
    const other = usual === "descending" ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === usual ? other : usual;
    const value = (row) => row.cells[head.cellIndex].dataset.value;
    const compare = button.dataset.sort === "text"
      ? (a, b) => value(a).localeCompare(value(b))
      : (a, b) => Number(value(a)) - Number(value(b));
    const sign = order === "descending" ? -1 : 1;
    body.append(...[...body.rows].sort((a, b) => sign * compare(a, b)));
    for (const cell of head.parentElement.cells) cell.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
  };
  for (const button of all("[data-sort]")) button.addEventListener("click", () => sort(button));

  for (const input of all(".filter input")) {
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      for (const row of all(".ranking tbody tr", input.closest(".panel"))) {
        row.hidden = !row.querySelector(".name").textContent.toLowerCase().includes(wanted);
      }
    });
  }
})();
