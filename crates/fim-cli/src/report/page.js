"use strict";
// Shows the table that stands in the page. Texts of a log are only ever set as text, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [TIME, HOST, CONSUMER, SEVERITY, ACTION, PATH, ACTOR, REST] = [0, 1, 2, 3, 4, 5, 6, 7];
  const at = (id) => document.getElementById(id);
  const make = (tag, kind, text) => {
    const node = document.createElement(tag);
    if (kind) node.className = kind;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const when = (ms) => new Date(ms).toISOString().replace("T", " ").slice(0, 19);
  const worst = (n) => (n >= 90 ? 90 : n >= 70 ? 70 : n >= 40 ? 40 : 10);
  const words = { 10: "routine", 40: "notable", 70: "high", 90: "critical" };
  const rows = data.rows;
  const [first, last] = rows.length ? [rows[0][TIME], rows[rows.length - 1][TIME]] : [0, 0];

  at("about").textContent =
    `${rows.length.toLocaleString("en")} lines of ${data.hosts.length} hosts` +
    (rows.length ? `, ${when(first)} to ${when(last)} UTC` : "") +
    `, from ${data.logs.join(", ")}; made ${when(data.made)} UTC by fim ${data.version}`;

  const kinds = {
    tampering: "TAMPERING", broken: "BROKEN CHAIN", lost: "BASELINE LOST", gap: "GAP", blind: "NOT WATCHED", unread: "UNREADABLE", note: "Note",
  };
  const grave = data.troubles.filter((trouble) => trouble.kind !== "note");
  if (!grave.length && rows.length) {
    at("troubles").append(make("div", "good", "No gaps; every chain that is here is whole."));
  }
  const SHOWN = 200;
  for (const trouble of data.troubles.slice(0, SHOWN)) {
    const line = make("div", `trouble ${trouble.kind}`);
    line.append(make("b", "", kinds[trouble.kind] || trouble.kind));
    const host = trouble.host === null ? [] : [data.hosts[trouble.host]];
    const from = trouble.from === null ? [] : [when(trouble.from)];
    const to = trouble.to === null ? (trouble.kind === "gap" ? ["and still open"] : []) : [`to ${when(trouble.to)}`];
    const head = [...host, ...from, ...to].join(" ");
    line.append(make("span", "raw", head ? `${head}: ${trouble.text}` : trouble.text));
    at("troubles").append(line);
  }
  if (data.troubles.length > SHOWN) {
    at("troubles").append(make("div", "trouble", `and ${data.troubles.length - SHOWN} more`));
  }

  const choices = (id, every, texts, column) => {
    const counts = new Map();
    for (const row of rows) counts.set(row[column], (counts.get(row[column]) || 0) + 1);
    const select = at(id);
    const add = (value, text) => {
      const option = make("option", "", text);
      option.value = value;
      select.append(option);
    };
    add("", every);
    [...counts].sort((a, b) => b[1] - a[1]).slice(0, 500)
      .forEach(([place, count]) => add(place, `${texts[place] || "(unknown)"} (${count.toLocaleString("en")})`));
  };
  choices("host", "every host", data.hosts, HOST);
  choices("consumer", "every consumer", data.consumers, CONSUMER);
  choices("action", "every action", data.actions, ACTION);
  choices("actor", "every actor", data.actors, ACTOR);

  let shown = [];
  let range = null;
  const BINS = 120;

  const choose = () => {
    const text = at("text").value;
    const severity = Number(at("severity").value);
    const exact = [["host", HOST], ["consumer", CONSUMER], ["action", ACTION], ["actor", ACTOR]]
      .filter(([id]) => at(id).value !== "").map(([id, column]) => [column, Number(at(id).value)]);
    const fits = (row) =>
      (!text || row[PATH].includes(text) || String(row[REST].from || "").includes(text)) &&
      row[SEVERITY] >= severity && exact.every(([column, value]) => row[column] === value);
    const all = rows.filter(fits);
    shown = range ? all.filter((row) => row[TIME] >= range[0] && row[TIME] < range[1]) : all;
    timeline();
    at("count").textContent = `${shown.length.toLocaleString("en")} shown` +
      (range ? ` from ${when(range[0])} to ${when(range[1])}: "Clear" shows the whole time` : "");
    at("room").style.height = `${shown.length * height()}px`;
    at("list").scrollTop = 0;
    draw();
  };

  const timeline = () => {
    const [from, to] = range || [first, last + 1];
    const width = Math.max(1, (to - from) / BINS);
    const bins = Array.from({ length: BINS }, () => ({ 10: 0, 40: 0, 70: 0, 90: 0, all: 0 }));
    for (const row of shown) {
      const bin = bins[Math.min(BINS - 1, Math.floor((row[TIME] - from) / width))];
      bin[worst(row[SEVERITY])] += 1;
      bin.all += 1;
    }
    const most = Math.max(1, ...bins.map((bin) => bin.all));
    const bars = bins.map((bin, place) => {
      const bar = make("div", "bar");
      const start = from + place * width;
      bar.title = `${when(start)}: ${bin.all}`;
      for (const severity of [90, 70, 40, 10]) {
        if (!bin[severity]) continue;
        const part = make("div", `s${severity}`);
        part.style.height = `max(2px, ${(bin[severity] / most) * 100}%)`;
        bar.append(part);
      }
      bar.onclick = () => { range = [start, start + width]; choose(); };
      return bar;
    });
    const bands = data.troubles.filter((trouble) => trouble.from !== null && trouble.kind !== "note").map((trouble) => {
      const band = make("div", `band ${trouble.kind}`);
      const place = (time) => Math.max(0, Math.min(100, ((time - from) / (to - from)) * 100));
      const end = trouble.to === null ? (trouble.kind === "gap" ? to : trouble.from) : trouble.to;
      if (end < from || trouble.from > to) return null;
      band.style.left = `min(${place(trouble.from)}%, 100% - 3px)`;
      band.style.width = `${place(end) - place(trouble.from)}%`;
      return band;
    }).filter(Boolean);
    at("bars").replaceChildren(...bars, ...bands);
    at("axis").replaceChildren(make("span", "", when(from)), make("span", "", when((from + to) / 2)), make("span", "", when(to)));
  };

  // Only what can be seen is there: a hundred thousand rows would be too many.
  const height = () => (window.matchMedia("(max-width: 640px)").matches ? 70 : 44);
  const draw = () => {
    const list = at("list");
    const from = Math.max(0, Math.floor(list.scrollTop / height()) - 10);
    const to = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / height()) + 10);
    // The newest first.
    const drawn = [];
    for (let place = from; place < to; place += 1) drawn.push(line(shown[shown.length - 1 - place]));
    at("rows").style.top = `${from * height()}px`;
    at("rows").replaceChildren(...drawn);
  };

  const line = (row) => {
    const button = make("button", "row");
    button.type = "button";
    button.append(make("span", `mark s${worst(row[SEVERITY])}`), make("span", "when", when(row[TIME])));
    const where = make("span", "where");
    where.append(make("span", "raw", row[PATH] || data.actions[row[ACTION]]));
    where.append(make("small", "raw", `${data.actions[row[ACTION]]}${brief(row)}`));
    const who = make("span", "who raw", data.actors[row[ACTOR]]);
    who.append(make("small", "", data.consumers[row[CONSUMER]]));
    button.append(where, who, make("span", "host raw", data.hosts[row[HOST]]));
    button.title = words[worst(row[SEVERITY])];
    button.onclick = () => detail(row);
    return button;
  };

  const told = (value) => (value !== null && typeof value === "object" ? JSON.stringify(value) : String(value));
  const change = (it) => {
    const { what, before, after, ...of } = it;
    const parts = Object.entries(of).map(([name, value]) => `${name} ${told(value)}`);
    if (before !== undefined || after !== undefined) parts.push(`${told(before ?? "nothing")} → ${told(after ?? "nothing")}`);
    return parts.length ? `${what}: ${parts.join(", ")}` : String(what);
  };
  const brief = (row) => {
    const changes = Array.isArray(row[REST].changes) ? row[REST].changes : [];
    const text = changes.slice(0, 3).map(change).join("; ");
    return text ? `: ${text.slice(0, 200)}` : "";
  };

  const detail = (row) => {
    const rest = row[REST];
    const box = at("detail");
    const shut = make("button", "shut", "Close");
    shut.onclick = () => box.close();
    const table = make("table");
    const say = (name, value) => {
      if (value === undefined || value === null || value === "") return;
      const tr = make("tr");
      tr.append(make("th", "", name), make("td", "raw", told(value)));
      table.append(tr);
    };
    const process = rest.process || {};
    say("when", `${when(row[TIME])} UTC${rest.detected && rest.detected !== "live" ? ` (${rest.detected})` : ""}`);
    say("host", data.hosts[row[HOST]]);
    say("what", `${data.actions[row[ACTION]]}${rest.via ? ` by ${rest.via}` : ""}`);
    say("severity", words[worst(row[SEVERITY])]);
    say("from", rest.from);
    say("to", rest.moved_to);
    say("who", data.actors[row[ACTOR]]);
    say("login", rest.login_uid === 4294967295 ? undefined : rest.login_uid);
    say("program", process.executable);
    say("command", Array.isArray(process.args) ? process.args.map(told).join(" ") : undefined);
    say("parent", process.parent && process.parent.executable);
    for (const name of ["container", "pod", "writes", "hash_state", "actors", "gap", "baseline", "tampering", "explained_by", "reload", "counts", "notes", "sequence"]) {
      say(name, rest[name]);
    }
    box.replaceChildren(shut, make("h2", "raw", row[PATH] || data.actions[row[ACTION]]), table);
    if (Array.isArray(rest.changes) && rest.changes.length) {
      const list = make("ul");
      rest.changes.forEach((it) => list.append(make("li", "raw", change(it))));
      box.append(make("h2", "", "Changes"), list);
    }
    if (rest.diff) box.append(make("h2", "", "Lines"), sideBySide(String(rest.diff)));
    box.showModal();
  };

  const sideBySide = (diff) => {
    const box = make("div", "diff");
    let [minus, plus] = [[], []];
    const flush = () => {
      for (let place = 0; place < Math.max(minus.length, plus.length); place += 1) {
        const pair = make("div", "pair");
        for (const [side, kind] of [[minus, "minus"], [plus, "plus"]]) {
          pair.append(place < side.length ? make("span", kind, side[place]) : make("span", "none", ""));
        }
        box.append(pair);
      }
      [minus, plus] = [[], []];
    };
    for (const text of diff.split("\n")) {
      if (text.startsWith("-")) minus.push(text.slice(1));
      else if (text.startsWith("+")) plus.push(text.slice(1));
      else {
        flush();
        if (text.startsWith(" ")) {
          const pair = make("div", "pair same");
          pair.append(make("span", "", text.slice(1)), make("span", "", text.slice(1)));
          box.append(pair);
        } else if (text) box.append(make("div", "hunk", text));
      }
    }
    flush();
    return box;
  };

  let waiting = false;
  const soon = (what) => () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; what(); });
  };
  at("list").addEventListener("scroll", soon(draw), { passive: true });
  window.addEventListener("resize", soon(choose));
  at("filters").addEventListener("input", soon(choose));
  at("filters").addEventListener("reset", () => { range = null; setTimeout(choose); });
  at("filters").addEventListener("submit", (event) => event.preventDefault());
  at("detail").addEventListener("click", (event) => { if (event.target === at("detail")) at("detail").close(); });
  choose();
})();
