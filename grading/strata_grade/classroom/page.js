"use strict";
// All of the page can be read without this: it only finds, sorts, opens and closes.
const all = (selector, where = document) => [...where.querySelectorAll(selector)];
const find = document.getElementById("find"), order = document.getElementById("order");
const rows = document.getElementById("rows"), reports = document.getElementById("reports");

function show() {
	const words = find.value.trim().toLowerCase().split(/\s+/);
	let shown = 0;
	for (const item of all("[data-find]")) {
		item.hidden = !words.every(word => item.dataset.find.includes(word));
		shown += !item.hidden && item.tagName === "DETAILS";
	}
	document.getElementById("found").textContent = find.value.trim() ? `${shown} found` : "";
}

function sort() {
	const number = item => Number(item.dataset.score), place = item => Number(item.dataset.place);
	const by = { roster: (a, b) => place(a) - place(b), best: (a, b) => number(b) - number(a) || place(a) - place(b),
		worst: (a, b) => number(a) - number(b) || place(a) - place(b) }[order.value];
	for (const list of [rows, reports])
		list.append(...[...list.children].sort(by));
}

function open_all(on) {
	for (const item of all("details", reports))
		item.open = on;
}

function open_target() {
	const item = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
	if (item && item.tagName === "DETAILS") {
		item.hidden = false;
		item.open = true;
		item.scrollIntoView();
	}
}

find.addEventListener("input", show);
order.addEventListener("change", sort);
document.getElementById("open").addEventListener("click", () => open_all(true));
document.getElementById("close").addEventListener("click", () => open_all(false));
addEventListener("hashchange", open_target);
addEventListener("beforeprint", () => open_all(true));
document.getElementById("tools").hidden = false;
open_target();
