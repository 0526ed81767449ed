// Builds the page: the frame with a loading text, then the company whose IDNO is in the path.

import { element } from "./dom.js";
import { companyFacts, figureFacts } from "./facts.js";
import { frame, PLAIN } from "./frame.js";
import { layouts } from "./layouts.js";
import { texts } from "./words.js";

const { apiUrl, answers, idno, factsAfterMs, layout: layoutName } = window.site;
const LATE_MS = 3000;
const layout = layouts[layoutName];
const { nodes, main } = frame(layoutName, layout);

const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Fetches an answer from the API, or returns the one that the server embedded in the document. */
async function ask(path) {
  if (apiUrl === null) return embedded(answers[path]);
  const response = await fetch(apiUrl + path);
  return { status: response.status, text: await response.text() };
}

async function embedded(answer) {
  if (answer.delivery === "never") await new Promise(() => {});
  if (answer.delivery === "dropped") throw new TypeError("the connection was dropped");
  if (answer.delivery === "late") await later(LATE_MS);
  return answer;
}

function showNotFound() {
  main.replaceChildren(element("h1", texts.notFound), element("p", `${texts.notFoundHint} ${idno ?? ""}`));
}

function showError(inHeading) {
  const heading = inHeading ? [element("h1", texts.error)] : [];
  main.replaceChildren(...heading, element("p", texts.errorHint));
}

async function showCompany(company) {
  const block = element(PLAIN.includes(layoutName) ? "div.block" : "article", element("h1", company.fullName));
  document.title = `${company.fullName} | Bani la vedere`;
  main.replaceChildren(block);
  if (factsAfterMs) await later(factsAfterMs);
  const figures = element("div.figures", element("p", texts.loading));
  block.append(element("div.facts", layout(companyFacts(company))), figures);
  await showFigures(figures);
}

async function showFigures(place) {
  const answer = await ask(`/api/fin-data-v1/${idno}`);
  const [newest] = answer.status === 200 ? JSON.parse(answer.text) : [];
  if (!newest) return place.replaceChildren(element("p", texts.noFigures));
  const heading = element("h2", `${texts.figures}, ${newest.year}`);
  place.replaceChildren(heading, element("div.rows", layout(figureFacts(newest))));
}

async function showPage() {
  if (idno === null) return showWelcomeOrNotFound();
  main.replaceChildren(element("p.loading", texts.loading));
  const answer = await ask(`/api/companies/${idno}`);
  if (answer.status === 404 || answer.text === "null") return showNotFound();
  const body = JSON.parse(answer.text);
  if (answer.status !== 200) return showError(body.display === "heading");
  await showCompany(body);
}

function showWelcomeOrNotFound() {
  if (location.pathname !== "/") return showNotFound();
  main.replaceChildren(element("p", texts.welcome));
}

document.querySelector("app-root").append(...nodes);
showPage().catch(() => showError(false));
