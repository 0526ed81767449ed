// The page's texts in each language: two sets of labels, status words, legal forms, months.

const LABELS = {
  ro: {
    idno: ["IDNO", "IDNO / Cod fiscal"],
    legalForm: ["Forma juridică", "Forma organizatorico-juridică"],
    status: ["Statut", "Starea"],
    registeredAt: ["Data înregistrării", "Înregistrată la"],
    address: ["Adresa", "Adresa juridică"],
    cuatm: ["CUATM", "Codul CUATM"],
    founders: ["Fondatori", "Fondatorii"],
    administrators: ["Administratori", "Administratorii"],
    licensed: ["Activități licențiate", "Genuri de activitate licenţiate"],
    unlicensed: ["Activități nelicențiate", "Genuri de activitate nelicenţiate"],
    revenue: ["Venituri din vînzări", "Venituri din vânzări"],
    costOfSales: ["Costul vînzărilor", "Costul vânzărilor"],
    grossProfit: ["Profit brut (pierdere brută)", "Profit brut"],
    netProfit: ["Profit net (pierdere netă)", "Profit net"],
    assets: ["Total active", "TOTAL ACTIVE"],
    equity: ["Total capital propriu", "Capital propriu"],
    liabilities: ["Total datorii curente", "Datorii curente"],
    cash: ["Numerar şi documente băneşti", "Numerar"],
  },
  ru: {
    idno: ["IDNO", "IDNO / Фискальный код"],
    legalForm: ["Правовая форма", "Организационно-правовая форма"],
    status: ["Статус", "Состояние"],
    registeredAt: ["Дата регистрации", "Зарегистрирована"],
    address: ["Адрес", "Юридический адрес"],
    cuatm: ["CUATM", "Код CUATM"],
    founders: ["Учредители", "Основатели"],
    administrators: ["Администраторы", "Руководители"],
    licensed: ["Лицензируемые виды деятельности", "Лицензированная деятельность"],
    unlicensed: ["Нелицензируемые виды деятельности", "Нелицензированная деятельность"],
    revenue: ["Доход от продаж", "Выручка от продаж"],
    costOfSales: ["Себестоимость продаж", "Себестоимость реализации"],
    grossProfit: ["Валовая прибыль (убыток)", "Валовая прибыль"],
    netProfit: ["Чистая прибыль (убыток)", "Чистая прибыль"],
    assets: ["Итого активы", "Всего активов"],
    equity: ["Собственный капитал", "Итого собственный капитал"],
    liabilities: ["Текущие обязательства", "Итого текущие обязательства"],
    cash: ["Денежные средства", "Денежные средства и денежные документы"],
  },
  en: {
    idno: ["IDNO", "IDNO (fiscal code)"],
    legalForm: ["Legal form", "Type of entity"],
    status: ["Status", "State"],
    registeredAt: ["Registration date", "Registered on"],
    address: ["Address", "Legal address"],
    cuatm: ["CUATM", "CUATM code"],
    founders: ["Founders", "Founded by"],
    administrators: ["Administrators", "Managers"],
    licensed: ["Licensed activities", "Licensed lines of business"],
    unlicensed: ["Unlicensed activities", "Unlicensed lines of business"],
    revenue: ["Sales revenue", "Revenue from sales"],
    costOfSales: ["Cost of sales", "Cost of goods sold"],
    grossProfit: ["Gross profit (loss)", "Gross profit"],
    netProfit: ["Net profit (loss)", "Net profit"],
    assets: ["Total assets", "Assets, total"],
    equity: ["Total equity", "Equity"],
    liabilities: ["Current liabilities", "Total current liabilities"],
    cash: ["Cash", "Cash and cash equivalents"],
  },
};

const STATUSES = {
  ro: { active: ["Activă", "Activă"], inactive: ["Inactivă", "Lichidată"] },
  ru: { active: ["Действующая", "Активная"], inactive: ["Ликвидирована", "Недействующая"] },
  en: { active: ["Active", "Active"], inactive: ["Inactive", "Liquidated"] },
};

const LEGAL_FORMS = {
  SRL: ["Societate cu răspundere limitată", "Общество с ограниченной ответственностью", "Limited liability company"],
  SA: ["Societate pe acțiuni", "Акционерное общество", "Joint-stock company"],
  "ÎI": ["Întreprindere individuală", "Индивидуальное предприятие", "Individual enterprise"],
  "GȚ": ["Gospodărie ţărănească (de fermier)", "Крестьянское (фермерское) хозяйство", "Peasant farm"],
  "ÎS": ["Întreprindere de stat", "Государственное предприятие", "State enterprise"],
  "ÎM": ["Întreprindere municipală", "Муниципальное предприятие", "Municipal enterprise"],
};

const MONTHS = {
  ro: "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
  ru: "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
  en: "January February March April May June July August September October November December",
};

const TEXTS = {
  ro: {
    loading: "Se încarcă…",
    notFound: "Compania nu a fost găsită",
    notFoundHint: "Nu am găsit nicio companie cu acest IDNO:",
    error: "Eroare",
    errorHint: "A apărut o eroare la încărcarea datelor. Încercați mai târziu.",
    figures: "Situații financiare",
    noFigures: "Nu există situații financiare",
    share: "Cota",
    name: "Nume",
    menu: ["Companii", "Fondatori de top", "Adresa noastră", "Adrese utile", "Despre noi"],
    welcome: "Caută o companie după IDNO",
    operator: { address: "Adresa", phone: "Telefon", admin: "Administrator site", status: "Status sistem" },
    operational: "funcțional",
  },
  ru: {
    loading: "Загрузка…",
    notFound: "Компания не найдена",
    notFoundHint: "Не найдено ни одной компании с таким IDNO:",
    error: "Ошибка",
    errorHint: "Произошла ошибка при загрузке данных. Попробуйте позже.",
    figures: "Финансовая отчётность",
    noFigures: "Нет финансовой отчётности",
    share: "Доля",
    name: "Имя",
    menu: ["Компании", "Топ учредителей", "Наш адрес", "Полезные адреса", "О нас"],
    welcome: "Поиск компании по IDNO",
    operator: { address: "Адрес", phone: "Телефон", admin: "Администратор сайта", status: "Статус системы" },
    operational: "работает",
  },
  en: {
    loading: "Loading…",
    notFound: "Company not found",
    notFoundHint: "There is no company with this IDNO:",
    error: "Error",
    errorHint: "Something went wrong while loading the data. Try again later.",
    figures: "Financial statements",
    noFigures: "No financial statements",
    share: "Share",
    name: "Name",
    menu: ["Companies", "Top founders", "Our address", "Useful addresses", "About us"],
    welcome: "Find a company by IDNO",
    operator: { address: "Address", phone: "Phone", admin: "Site administrator", status: "System status" },
    operational: "operational",
  },
};

// `variant` has three bits. Each bit selects one of two equivalent wordings or formats.
const { lang, variant } = window.site;
const datesInWords = (variant & 1) !== 0;
const formsInFull = (variant & 2) !== 0;
const set = (variant & 4) !== 0 ? 1 : 0;

export const texts = TEXTS[lang];
export const secondSet = set === 1;
export const label = (key) => LABELS[lang][key][set];
export const status = (isActive) => STATUSES[lang][isActive ? "active" : "inactive"][set];

export function legalForm(code) {
  const index = ["ro", "ru", "en"].indexOf(lang);
  return formsInFull && code in LEGAL_FORMS ? LEGAL_FORMS[code][index] : code;
}

/** Formats a date such as "2003-07-09" for the language. */
export function date(iso) {
  const [year, month, day] = iso.split("-");
  if (!datesInWords) return lang === "en" ? iso : `${day}.${month}.${year}`;
  const name = MONTHS[lang].split(" ")[Number(month) - 1];
  if (lang === "en") return `${name} ${Number(day)}, ${year}`;
  return `${Number(day)} ${name} ${year}` + (lang === "ru" ? " г." : "");
}

/** Formats 11437966 as "11 437 966" (with no-break spaces) or "11,437,966". */
export function amount(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, lang === "en" ? "," : "\u00a0");
}
