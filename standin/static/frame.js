// Builds the frame around every page: menu, search, the operator's address and IDNO.

import { element, link } from "./dom.js";
import { operatorFacts } from "./facts.js";
import { texts } from "./words.js";

// In these layouts, the frame and the company's block use only div elements, not header, nav or main.
export const PLAIN = ["cards", "grid", "inline"];

/** Returns the frame's nodes; the page's content goes into `main`. */
export function frame(layoutName, layout) {
  const plain = PLAIN.includes(layoutName);
  const tag = (name) => (plain ? `div.${name}` : name);
  const main = element(tag("main"));
  const header = element(tag("header"), contacts(), menu(tag("nav")), search());
  const footer = element(tag("footer"), layout(operatorFacts()), element("p", "© Bani la vedere"));
  return { nodes: [header, main, footer], main };
}

function contacts() {
  const [address, phone] = operatorFacts();
  const line = ({ label, values }) => element("span", `${label}: ${values[0].text}`);
  return element("div.contacts", line(address), " · ", line(phone));
}

function menu(tag) {
  return element(tag, link("/", "Bani la vedere"), texts.menu.map((text, index) => link(`/pages/${index}`, text)));
}

function search() {
  const input = element("input");
  input.placeholder = "IDNO";
  return element("form", input);
}
