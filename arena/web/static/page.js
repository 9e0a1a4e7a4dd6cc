"use strict";
// What Gradio has no component for: language, theme, navigation, keys, sorting. `arena` is set before.
(() => {
  const kept = (name) => {
    const found = document.cookie.split("; ").find((part) => part.startsWith(name + "="));
    return found ? found.slice(name.length + 1) : "";
  };
  const keep = (name, value) => {
    document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
  };

  // Gradio takes the language of the browser; a choice made here comes first.
  const chosen = kept("arena_language");
  if (chosen in arena.words) {
    const tag = {en: "en", zh: "zh-CN"}[chosen];
    Object.defineProperty(navigator, "language", {get: () => tag});
    Object.defineProperty(navigator, "languages", {get: () => [tag]});
  }
  const language = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
  const words = arena.words[language];
  document.documentElement.lang = language;

  const theme = kept("arena_theme");
  const address = new URL(location.href);
  if ((theme === "dark" || theme === "light") && !address.searchParams.has("__theme")) {
    address.searchParams.set("__theme", theme);
    history.replaceState(null, "", address);
  }

  const element = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  function header() {
    const last = location.pathname.split("/").pop();
    const links = arena.pages.map((page) => {
      const link = element("a", {href: page ? `./${page}` : "./"}, words[(page || "vote") + "_tab"]);
      if (page === last) link.setAttribute("aria-current", "page");
      return link;
    });
    const other = language === "zh" ? "en" : "zh";
    const speak = element("button", {type: "button", lang: other, id: "speak"}, {en: "English", zh: "中文"}[other]);
    speak.onclick = () => { keep("arena_language", other); location.reload(); };
    const shade = element("button", {type: "button", id: "shade", "aria-label": words.shade, title: words.shade}, "◐");
    shade.onclick = () => {
      const dark = document.body.classList.toggle("dark");
      keep("arena_theme", dark ? "dark" : "light");
    };
    const home = element("a", {href: "./", class: "home"}, words.title);
    const nav = element("nav", {"aria-label": words.pages}, ...links);
    document.body.prepend(
      element("header", {id: "arena-header"}, home, nav, element("span", {class: "tools"}, speak, shade)));
    const current = nav.querySelector("[aria-current]");
    if (current) nav.scrollLeft = current.offsetLeft - nav.clientWidth / 2 + current.clientWidth / 2;
    const page = words[(last || "vote") + "_tab"];
    if (page) {
      const title = `${page} · ${words.title}`;
      const name = () => { if (document.title !== title) document.title = title; };
      new MutationObserver(name).observe(document.head, {childList: true, subtree: true, characterData: true});
      name();
    }
  }
  if (document.body) header(); else document.addEventListener("DOMContentLoaded", header);

  // One key, one button; typing into a field is left alone, and so are shortcuts of the browser.
  const keys = {a: "vote-model_a", ArrowLeft: "vote-model_a", b: "vote-model_b",
    ArrowRight: "vote-model_b", t: "vote-tie", x: "vote-both_bad", s: "skip", u: "undo", Enter: "next",
    1: "grade-1", 2: "grade-2", 3: "grade-3", 4: "grade-4", 5: "grade-5"};
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest("#prompt-text")) {
      event.preventDefault();
      document.querySelector("button#send")?.click();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("input, textarea, select, a, header, [role=radio], [role=listbox]")) return;
    const name = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    const button = name && document.querySelector(`.ballot button#${name}, button#${name}`);
    if (button && !button.disabled && button.offsetParent) { event.preventDefault(); button.click(); }
  });

  // What was cast can be taken back for a minute.
  let late;
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".ballot button")) return;
    clearTimeout(late);
    document.documentElement.removeAttribute("data-late");
    late = setTimeout(() => document.documentElement.setAttribute("data-late", ""), 60_000);
  });

  // Texts formatted, or as they were written: kept for the visit, on every page of it.
  const written = (on) => {
    document.documentElement.toggleAttribute("data-written", on);
    sessionStorage.setItem("arena_written", on ? "1" : "");
    pressed();
  };
  const pressed = () => {
    const button = document.getElementById("as-written");
    const on = String(document.documentElement.hasAttribute("data-written"));
    if (button && button.getAttribute("aria-pressed") !== on) button.setAttribute("aria-pressed", on);
  };
  written(sessionStorage.getItem("arena_written") === "1");
  new MutationObserver(pressed).observe(document.documentElement, {childList: true, subtree: true});
  document.addEventListener("click", (event) => {
    if (event.target.closest("#as-written"))
      written(!document.documentElement.hasAttribute("data-written"));
  });

  // What comes next is read from its beginning.
  document.addEventListener("click", (event) => {
    if (event.target.closest("button#next")) scrollTo(0, 0);
  });

  // A table that is broader than its place says so.
  const broad = new ResizeObserver((boxes) => requestAnimationFrame(() => {
    for (const {target} of boxes) {
      if (target.scrollWidth > target.clientWidth + 1) target.dataset.more = words.scroll_more;
      else delete target.dataset.more;
    }
  }));
  const watched = new WeakSet();
  new MutationObserver(() => {
    for (const table of document.querySelectorAll(".table")) {
      if (!watched.has(table)) { watched.add(table); broad.observe(table); }
    }
  }).observe(document.documentElement, {childList: true, subtree: true});

  // A heading of a table sorts it; numbers by value, which a cell may give as data-value.
  const value = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.trim();
    return text !== "" && !isNaN(text) ? Number(text) : text.toLowerCase();
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("table.sortable thead button");
    if (!button) return;
    const heading = button.closest("th");
    const table = heading.closest("table"), column = heading.cellIndex;
    const up = heading.getAttribute("aria-sort") === "descending";
    table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = [...table.tBodies[0].rows];
    rows.sort((one, other) => {
      const a = value(one, column), b = value(other, column);
      const order = typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
      return up ? order : -order;
    });
    table.tBodies[0].append(...rows);
  });
})();
