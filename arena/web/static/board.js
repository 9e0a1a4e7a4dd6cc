
// The leaderboard: its address keeps what is shown, its search hides rows as one types.
const arenaBoard = (() => {
  const address = (change) => {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(change)) {
      if (value) url.searchParams.set(name, value); else url.searchParams.delete(name);
    }
    history.replaceState(null, "", url);
  };

  function remember(chosen) {
    const [view, group, style, weak, search, chart] = chosen;
    const [, by, value] = (group || "").match(/^(\w+)=(.*)$/s) || ["", "", ""];
    address({view, by, value, style: style ? "1" : "", weak: weak ? "1" : "",
      search: (search || "").trim(), chart: chart === "ratings" ? "" : chart});
    return chosen;
  }

  function search(text) {
    const sought = (text || "").trim().toLowerCase();
    for (const row of document.querySelectorAll("#board table.board tbody tr")) {
      row.hidden = !row.querySelector("th").dataset.value.toLowerCase().includes(sought);
    }
    const nobody = document.querySelector("#board .nobody");
    if (nobody) nobody.hidden = document.querySelector("#board table.board tbody tr:not([hidden])") !== null;
    address({search: sought});
  }
  document.addEventListener("input", (event) => {
    if (event.target.closest("#search")) search(event.target.value);
  });

  // How the table is sorted is kept too, and put back when it is drawn anew.
  document.addEventListener("click", (event) => {
    const heading = event.target.closest("#board table.board thead th");
    if (!heading || !event.isTrusted) return;
    const down = heading.getAttribute("aria-sort") === "descending";
    address({sort: (down ? "-" : "") + heading.dataset.name});
  });
  const sorted = new WeakSet();
  new MutationObserver(() => {
    const table = document.querySelector("#board table.board");
    if (!table || sorted.has(table)) return;
    sorted.add(table);
    const [, down, name] = (new URL(location.href).searchParams.get("sort") || "").match(/^(-?)(\w+)$/) || [];
    const heading = name && table.querySelector(`thead th[data-name="${name}"]`);
    if (!heading) return;
    heading.querySelector("button").click();
    if (!down) heading.querySelector("button").click();
  }).observe(document, {childList: true, subtree: true});

  return {remember};
})();
