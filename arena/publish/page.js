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

  // A table that is broader than its place says so.
  const broad = new ResizeObserver((boxes) => requestAnimationFrame(() => {
    for (const { target } of boxes) {
      target.classList.toggle("more", target.scrollWidth > target.clientWidth + 1);
    }
  }));
  for (const box of all(".wide")) broad.observe(box);

  // Tabs: without this script every ranking is shown, one under the other.
  const tabsOf = (section) => all("[role=tab]", section);
  const open = (chosen) => {
    for (const tab of tabsOf(chosen.parentElement)) {
      const here = tab === chosen;
      tab.setAttribute("aria-selected", String(here));
      tab.tabIndex = here ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !here;
    }
  };
  for (const list of all("[role=tablist]")) {
    const tabs = tabsOf(list);
    const choose = (tab) => { open(tab); tell(list); };
    tabs.forEach((tab, index) => {
      tab.addEventListener("click", () => choose(tab));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = tabs[(index + step + tabs.length) % tabs.length];
        choose(next);
        next.focus();
      });
    });
  }

  const sort = (button, order) => {
    const head = button.closest("th");
    const body = head.closest("table").tBodies[0];
    const value = (row) => row.cells[head.cellIndex].dataset.value;
    const compare = button.dataset.sort === "text"
      ? (a, b) => value(a).localeCompare(value(b))
      : (a, b) => Number(value(a)) - Number(value(b));
    const sign = order === "descending" ? -1 : 1;
    body.append(...[...body.rows].sort((a, b) => sign * compare(a, b)));
    for (const cell of head.parentElement.cells) cell.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
  };
  for (const button of all("[data-sort]")) { // First the useful way, then the other way.
    button.addEventListener("click", () => {
      const usual = button.dataset.sort === "down" ? "descending" : "ascending";
      const other = usual === "descending" ? "ascending" : "descending";
      sort(button, button.closest("th").getAttribute("aria-sort") === usual ? other : usual);
      tell(button);
    });
  }

  const find = (input) => {
    const wanted = input.value.trim().toLowerCase();
    for (const row of all(".ranking tbody tr, .tasks tbody tr, .listed li", input.closest(".panel"))) {
      row.hidden = !row.querySelector(".name").dataset.value.toLowerCase().includes(wanted);
    }
  };
  for (const input of all(".filter input")) {
    input.addEventListener("input", () => { find(input); tell(input); });
  }

  // The address: a section, and of each section with rankings the tab that is open and how its
  // table is sorted and searched, as in #ranking&ranking.tab=human&ranking.find=gpt
  const sections = ["ranking", "categories", "prompts"].map((id) => document.getElementById(id)).filter(Boolean);
  const told = (section) => {
    const panel = section.querySelector(".panel:not([hidden])");
    const [, ...rest] = tabsOf(section);
    const tab = rest.find((one) => one.getAttribute("aria-selected") === "true");
    const head = panel.querySelector("[aria-sort]");
    return {
      tab: tab && tab.dataset.name,
      sort: head && head.querySelector("button").dataset.name,
      order: head && head.getAttribute("aria-sort"),
      find: panel.querySelector(".filter input")?.value,
    };
  };
  const write = (place) => {
    const state = new URLSearchParams();
    for (const section of sections) {
      for (const [key, said] of Object.entries(told(section))) {
        if (said) state.set(`${section.id}.${key}`, said);
      }
    }
    const hash = [place, state.toString()].filter(Boolean).join("&");
    history.replaceState(null, "", location.href.split("#")[0] + (hash && `#${hash}`));
  };
  const tell = (changed) => write(changed.closest("section").id);
  const restore = (section, state) => {
    const said = (key) => state.get(`${section.id}.${key}`);
    const tabs = tabsOf(section);
    if (tabs.length) open(tabs.find((tab) => tab.dataset.name === said("tab")) ?? tabs[0]);
    const panel = section.querySelector(".panel:not([hidden])");
    const button = all("[data-sort]", panel).find((one) => one.dataset.name === said("sort"));
    if (button) sort(button, said("order"));
    const input = panel.querySelector(".filter input");
    if (input) {
      input.value = said("find") ?? "";
      find(input);
    }
  };
  const [place, ...rest] = location.hash.slice(1).split("&");
  for (const section of sections) restore(section, new URLSearchParams(rest.join("&")));
  const target = document.getElementById(place);
  if (target?.tagName === "DETAILS") target.open = true; // A prompt that a link leads to.
  if (rest.length || target?.open) target?.scrollIntoView();
  window.addEventListener("hashchange", () => {
    const name = location.hash.slice(1);
    if (document.getElementById(name)) write(name); // A link of this page: what is open stays.
    else location.reload();
  });
})();
