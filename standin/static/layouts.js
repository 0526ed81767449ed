// The layouts of a company's facts: each function takes facts and returns nodes.

import { element, joined, link } from "./dom.js";
import { secondSet, texts } from "./words.js";

const NBSP = "\u00a0";

// Some layouts show a colon after each label, but only if the page uses the second set of labels.
const maybeColon = (label) => (secondSet ? `${label}:` : label);
const name = (value) => (value.href ? link(value.href, value.text) : value.text);
const present = (facts) => facts.filter((fact) => fact.values.length);
const withRole = (value) => [name(value), value.role ? ` [${value.role}]` : ""];
const inBrackets = (value) => [name(value), value.share ? ` (${value.share})` : ""];
const dashIfNone = (fact) => ({ ...fact, values: fact.values.length ? fact.values : [{ text: "—" }] });
const hasShares = (fact) => fact.values.some((value) => value.share);

/** Returns `NAME (50%), NAME (50%)`. Activities are separated by semicolons, because they contain commas. */
function oneLine(fact) {
  const isLong = fact.values.some((value) => value.text.includes(",") && !value.share);
  return joined(fact.values.map(inBrackets), isLong ? "; " : ", ");
}

function definitions(facts) {
  const rows = present(facts).map((fact) => [
    element("dt", maybeColon(fact.label)),
    fact.values.map((value) => element("dd", inBrackets(value))),
  ]);
  return element("dl", rows);
}

function table(facts) {
  const plain = facts.filter((fact) => !hasShares(fact)).map(dashIfNone);
  const row = (fact) =>
    element("tr", element("th", maybeColon(fact.label)), element("td", joined(fact.values.map(withRole), () => element("br"))));
  const main = element("table", element("tbody", plain.map(row)));
  return [main, facts.filter(hasShares).map(tableOfShares)];
}

function tableOfShares(fact) {
  const head = element("tr", element("th", texts.name), element("th", texts.share));
  const row = (value) => element("tr", element("td", name(value)), element("td", value.share || "—"));
  return [
    element("h2", fact.label),
    element("table.shares", element("thead", head), element("tbody", fact.values.map(row))),
  ];
}

function cards(facts) {
  const item = (value) => element("li", element("span.name", name(value)), " ", element("span.share", value.share || ""));
  const value = (fact) =>
    fact.values.length > 1 || hasShares(fact) ? element("ul", fact.values.map(item)) : name(fact.values[0]);
  const card = (fact) =>
    element("div.card", element("div.label", maybeColon(fact.label)), element("div.value", value(fact)));
  return element("div.cards", facts.map(dashIfNone).map(card));
}

function inline(facts) {
  return present(facts).map((fact, index) =>
    index % 2
      ? element("p", `${fact.label}: `, oneLine(fact))
      : element("p", element("b", `${fact.label}:`), NBSP, oneLine(fact)),
  );
}

function sections(facts) {
  const line = (value) => element("p", name(value), value.share ? ` – ${value.share}` : "");
  return present(facts).map((fact) => element("section", element("h3", maybeColon(fact.label)), fact.values.map(line)));
}

function spans(facts) {
  const value = (fact) =>
    fact.values.length > 1 || hasShares(fact)
      ? element("ul", fact.values.map((each) => element("li", inBrackets(each), each.role ? ` [${each.role}]` : "")))
      : element("span.value", withRole(fact.values[0]));
  const row = (fact) => element("li", element("span.label", maybeColon(fact.label)), " ", value(fact));
  return element("ul.facts", present(facts).map(row));
}

function grid(facts) {
  const line = (value) => element("div.line", name(value), value.share ? `, ${value.share}` : "");
  const value = (fact) => (fact.values.length > 1 ? fact.values.map(line) : [name(fact.values[0]), share(fact.values[0])]);
  const share = (only) => (only.share ? `, ${only.share}` : "");
  const cells = (fact) => [element("div.label", maybeColon(fact.label)), element("div.value", value(fact))];
  return element("div.grid", facts.map(dashIfNone).map(cells));
}

function lines(facts) {
  const line = (fact) => [element("strong", fact.label), ": ", oneLine(fact), element("br")];
  return element("div.lines", present(facts).map(line));
}

export const layouts = { definitions, table, cards, inline, sections, spans, grid, lines };
