// Converts the API's bodies to facts: {label, values}, where a value is {text, share?, role?, href?}.

import * as words from "./words.js";

const KEY_ROWS = {
  revenue: "6_010",
  costOfSales: "6_020",
  grossProfit: "6_030",
  netProfit: "6_180",
  assets: "5_430",
  equity: "5_620",
  liabilities: "5_820",
  cash: "5_410",
};
const ABSENT = [null, undefined, "", "NULL", "undefined"];
const isAbsent = (value) => ABSENT.includes(value);
const known = (value, say) => (isAbsent(value) ? [] : [{ text: say(value) }]);
const same = (value) => value;

function parties(persons, companies) {
  return [...(persons || []), ...(companies || [])].map((party) => ({
    text: party.fullName,
    share: isAbsent(party.shares) ? undefined : `${party.shares}%`,
    role: isAbsent(party.type) ? undefined : party.type,
    href: isAbsent(party.idno) ? undefined : `/companies/${party.idno}`,
  }));
}

const activities = (list) => (list || []).map((activity) => ({ text: activity.name }));
const fact = (key, values) => ({ label: words.label(key), values });

export function companyFacts(company) {
  const { address, cuatm } = company;
  return [
    fact("idno", known(company.idno, same)),
    fact("legalForm", known(company.type, words.legalForm)),
    fact("status", known(company.isActive, words.status)),
    fact("registeredAt", known(company.registeredAt, words.date)),
    fact("address", known(address && address.fullName, same)),
    fact("cuatm", known(cuatm && cuatm.name, (name) => `${name} (${cuatm.statisticId})`)),
    fact("founders", parties(company.personFounders, company.companyFounders)),
    fact("administrators", parties(company.personAdministrators, company.companyAdministrators)),
    fact("licensed", activities(company.licensedActivities)),
    fact("unlicensed", activities(company.unlicensedActivities)),
  ];
}

export function figureFacts(statement) {
  return Object.entries(KEY_ROWS).map(([key, code]) =>
    fact(key, known(statement[`CODE_${code}`], (number) => `${words.amount(number)} MDL`)),
  );
}

/** Returns facts of the site's operator. Their labels are those of companies, so that readers could confuse them. */
export function operatorFacts() {
  const { operator } = words.texts;
  return [
    { label: operator.address, values: [{ text: "MD-2099, mun. Chișinău, str. Operatorului, 5" }] },
    { label: operator.phone, values: [{ text: "+373 22 000 000" }] },
    { label: "IDNO", values: [{ text: "1020999009997" }] },
    { label: operator.admin, values: [{ text: "OPERATORU PAUL" }] },
    { label: operator.status, values: [{ text: words.texts.operational }] },
  ];
}
