"""Texts that stand in the place of a value and are none, in Romanian, Russian and English.

There are two kinds. A text that says that there is no value ("Nu este indicată", "—", "N/A") leaves the field empty.
Any other placeholder (a request to sign in, a text shown during loading, a leftover of a template, filler) leaves the
field unread: the company may have a value, but this page does not show it.
"""

import re
from functools import lru_cache

from warehouse.folding import collapse, fold


def _phrases(text: str) -> tuple[str, ...]:
    """Split phrases that are written as one text, separated by "|", and fold them."""
    return tuple(fold(phrase) for phrase in collapse(text).split(" | "))


_OPENING = 80
"""Number of characters from the beginning of a text that are checked for "no value"; such texts are shorter."""
_LONGEST = 300
"""A longer text is no placeholder: messages in the place of a value are short."""

_NO_VALUE = frozenset(
    _phrases(
        """
        null | undefined | none | nan | n/a | n.a | na | nil | not set | lipsa | lipseste | lipsesc | necunoscut
        | necunoscuta | nedefinit | nespecificat | nespecificata | indisponibil | absent | отсутствует |
        отсутствуют | нет | неизвестно | неизвестен | неизвестна | unknown | missing | unspecified | undisclosed
        | unavailable | empty | (gol) | пусто | nedefinita | indisponibila | absenta | n-a | н/д | нд | fara
        adresa | без адреса | no address | fara date | nu are | не задано | не задан | not entered | nu se
        cunoaste | nu exista | neindicat | neindicata | nedeclarat | nedeclarata | nu se aplica | не применимо
        """
    )
)
_THINGS = (
    r"(?:date|datele|informatii|informatie|inregistrari|rezultate|fondatori|administratori|asociati|conducatori|"
    r"adresa|данные|данных|информация|информации|сведения|сведений|записи|записей|учредители|учредителей|"
    r"руководителей|администраторов|администраторы|руководители|адрес|дата|"
    r"data|information|info|records|results|founders|administrators|directors|shareholders|entries|items|address|date)"
)
# Matches e.g. "Nu sunt date", "Lipsesc date", "Данные отсутствуют", "Не указаны", "No records", "Not available".
_SAYS_NO_VALUE = re.compile(
    rf"""
      nu\ (?:exista|sunt|sint|avem|au\ fost\ gasite?|s-au\ gasit|detinem)\ {_THINGS}(?:\ .{{0,30}})?
    | (?:fara|lipsesc|lipsa|lipseste)\ {_THINGS}
    | {_THINGS}\ (?:lipsesc|lipseste|lipsa|indisponibil[aei]?|inexistent[aei]?|absent[aei]?|necunoscut[aei]?)
    | (?:{_THINGS}\ )?nu\ (?:este|e|sunt|sint|a\ fost|au\ fost|s-a)
      \ (?:indicat|specificat|cunoscut|disponibil|declarat|gasit|mentionat|publicat|inregistrat|completat)[aei]?
    | нет\ {_THINGS}
    | {_THINGS}\ (?:отсутству[ею]т|неизвестн[аоы]|не\ (?:указан|найден|предоставлен|известн)[аоы]?)
    | не\ (?:указан|найден|определен|заполнен|известн|предоставлен|раскрыт|опубликован)[аоы]? | не\ имеется
    | no\ (?:such\ )?{_THINGS}(?:\ (?:available|found|yet))?
    | (?:{_THINGS}\ (?:is\ )?)?not
      \ (?:available|specified|provided|known|disclosed|stated|indicated|found|applicable|given|published|recorded)
    | {_THINGS}\ (?:unavailable|missing|unknown)
    """,
    re.VERBOSE,
)
_LEFTOVERS = re.compile(
    r"""\{\{ | \}\} | \$\{ | \{% | %\} | <% | %> | \{\w[\w.]*\} | \[object\ \w+\] | (?<!\w)undefined\.\w
    | ^(?:compan(?:y|ies)|address|common|labels?|fields?|details|profile|page|i18n)(?:\.\w+)+$ | ^__\w+__$
    | ^\#(?:ref|n/a|value|name)[!?]?$""",
    re.VERBOSE,
)
"""Parts of an unfilled template: its syntax, a converted object, the key of a translation ("company.address.label")."""
_UNFILLED = re.compile(r"\{\{[^{}]*\}\}|\$\{[^{}]*\}|\[object \w+\]", re.IGNORECASE)
_CONVERTED = frozenset(
    _phrases("undefined | null | nan | none | invalid date | object object | nil | false | true")
)
"""What a script writes for a value that is missing."""
_ASKS, _HIDDEN, _LOADING, _LEFTOVER, _MESSAGE, _FILLER, _REMOVED = (
    "it asks the visitor to do something",
    "it says that the value is hidden",
    "it is shown while the page loads",
    "it is left over from a template",
    "it is a message of the site",
    "it is filler text",
    "it says that the register removed the value",
)
_CONTAINED: dict[str, tuple[str, ...]] = {
    _ASKS: _phrases(
        """
        conectati-va | conecteaza-te | conectati va | autentificati-va | autentifica-te | logati-va |
        logheaza-te | intrati in cont | intra in cont | inregistrati-va | inregistreaza-te | creati un cont |
        creeaza cont | abonati-va | aboneaza-te | pentru a vedea | pentru a vizualiza | pentru a accesa | pentru
        a afla | ca sa vedeti | ca sa vezi | apasati aici | apasati pentru | apasa aici | apasa pentru | click
        aici | click pentru | clic aici | clic pentru | faceti clic | faceti click | va rugam | doar pentru
        utilizatori | doar pentru abonati | numai pentru utilizatori | numai pentru abonati | dupa autentificare
        | dupa conectare | dupa inregistrare | utilizatorilor autentificati | utilizatorilor inregistrati |
        utilizatorii inregistrati | utilizatorii autentificati | disponibil doar | disponibila doar |
        disponibile doar | in versiunea premium | in contul personal | abonament premium | cu abonament |
        войдите | войти в | авторизуйтесь | залогиньтесь | зарегистрируйтесь | чтобы увидеть | чтобы посмотреть
        | чтобы просмотреть | чтобы узнать | для просмотра | оформите подписку | по подписке | подпишитесь |
        нажмите | кликните | только для | после входа | после авторизации | после регистрации | авторизованным
        пользователям | зарегистрированным пользователям | авторизованных пользователей | доступно в | доступен
        в | sign in to | sign in for | please sign | sign up to | sign up for | log in to | log in for | please
        log | login to | login required | login for | please login | to see | to view | to unlock | to reveal |
        click here | click to | tap to | subscribe to | subscribers only | members only | create an account |
        register to see | upgrade to | available to | available only | only available | only for registered |
        registered users | after sign-in | after signing in | please subscribe | premium users | with a
        subscription
        """
    ),
    _MESSAGE: _phrases(
        """
        eroare la | a aparut o eroare | s-a produs o eroare | nu s-a putut | nu s-au putut | nu am putut |
        reincercati | incearca din nou | incercati din nou | mai tarziu | temporar indisponibil | temporar
        indisponibila | in curs de actualizare | in curs de completare | in curs de procesare | va fi disponibil
        | va fi disponibila | vor fi disponibile | va aparea | vor aparea | nu pot fi afisate | nu poate fi
        afisat | nu poate fi afisata | ошибка при | ошибка загрузки | произошла ошибка | не удалось | попробуйте
        | повторите попытку | временно недоступен | временно недоступна | временно недоступно | временно
        недоступны | скоро появится | скоро появятся | будет доступен | будет доступно | failed to | could not
        be | couldn't | something went wrong | try again | error loading | an error occurred | temporarily
        unavailable | coming soon | to be announced | under construction | will be available | will appear
        """
    ),
    _FILLER: _phrases(
        """
        lorem ipsum | ipsum dolor | dolor sit amet | consectetur adipiscing | sed do eiusmod | exemplu de text |
        text de exemplu | sample text | example text | dummy text | placeholder text | пример текста |
        текст-заполнитель | introduceti adresa | introduceti textul | enter your | enter address | enter text |
        введите адрес | введите текст | test test
        """
    ),
    _REMOVED: _phrases(
        """
        radiat din registru | radiata din registru | sters din registru | datele lipsesc | date lipsa | удален
        из реестра | удалена из реестра | removed from the register
        """
    ),
}
"""Phrases that occur in no value. A text that contains one of them is not a value."""
_WHOLE: dict[str, tuple[str, ...]] = {
    _ASKS: _phrases(
        """
        conectare | autentificare | autentificati | intra | intrare | login | log in | sign in | sign up | войти
        | вход | войдите | subscribe | vezi | vezi adresa | arata | arata adresa | afiseaza | afiseaza adresa |
        показать | показать адрес | show | show address | view address | upgrade | ascultati | aboneaza-te |
        abonare | подписка | regaseste | copiaza | copiati adresa | copiaza adresa | скопировать адрес | copy
        address | copied | copiat | скопировано
        """
    ),
    _HIDDEN: _phrases(
        """
        ascuns | ascunsa | date ascunse | adresa ascunsa | confidential | confidentiala | date confidentiale |
        informatie confidentiala | date cu caracter personal | informatie protejata | date protejate | acces
        limitat | acces restrictionat | скрыто | скрыт | скрыта | данные скрыты | адрес скрыт | конфиденциально
        | конфиденциальные данные | конфиденциальная информация | доступ ограничен | персональные данные |
        hidden | confidential | redacted | restricted | protected data | data protected | personal data | access
        restricted | hidden for privacy | address hidden
        """
    ),
    _MESSAGE: _phrases(
        """
        eroare | error | ошибка | in curand | скоро | soon | tba | tbd | tbc | oops | actualizare | in
        constructie | de completat | de precizat | уточняется | pending | in asteptare | в ожидании | на
        обновлении | no internet | offline | timeout
        """
    ),
    _FILLER: _phrases(
        """
        placeholder | test | тест | foo | example | exemplu | пример | sample | dummy | todo | foo bar | xxx |
        xxxx | asdf | qwerty | lorem | ipsum | adresa completa aici | date de test
        """
    ),
}
"""Texts that are placeholders only as a whole, because names and addresses may contain them as words."""
_IS_LOADING = re.compile(
    r"(?:(?:date(?:le)?|adresa|informati[ae]|данные|адрес|информация|data|address)\ (?:este\ |e\ |is\ |are\ )?)?"
    r"(?:se\ (?:mai\ )?(?:incarca|proceseaza|actualizeaza|genereaza)|incarcare|incarcam|asteptati|загрузка|"
    r"загружа(?:ю|е)тся|загружаем|идет\ загрузка|подождите|loading|please\ wait|fetching|retrieving)"
    rf"(?:\W{{0,4}}(?:the\ |de\ )?(?:{_THINGS}|adresei|datelor|адреса|companiei|company|компании|pagina|page|in\ curs|"
    r"va\ rugam(?:\ sa)?(?:\ asteptati)?|asteptati|wait|please\ wait|подождите|пожалуйста)){0,3}"
)
_REASON_BY_WHOLE = {text: reason for reason, texts in _WHOLE.items() for text in texts}
_CONTAINED_IN = {
    reason: re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, phrases))})(?!\w)")
    for reason, phrases in _CONTAINED.items()
}
_ENDS = " .!…:;,*-–—"
_DASHES = frozenset(" -–—−‒―._·•/…")


def says_no_value(text: str) -> bool:
    """Tell whether a text says that there is no value: "—", "N/A", "Nu este indicată", "нет данных"."""
    return _says_no_value(collapse(text)[:_OPENING])


def is_unfilled(text: str) -> bool:
    """Tell whether the page has not filled the place of a value yet: "Se încarcă…", "{{ company.name }}".

    A name that merely contains the syntax of a template is a name.
    """
    return _UNFILLED.fullmatch(text) is not None or placeholder_reason(text) == _LOADING


def placeholder_reason(text: str) -> str | None:
    """Return why a text is not the value in whose place it stands; None if it may be the value.

    "Conectați-vă pentru a vedea adresa", "Se încarcă…", "{{ company.address }}", "[object Object]", "undefined,
    undefined", "Lorem ipsum dolor sit amet", "0", "1", ",", "< <", "RADIAT DIN REGISTRU" → a reason
    "Nu este indicată", "—" → None: they say that there is no value (`says_no_value`)
    """
    return _placeholder_reason(collapse(text)[:_LONGEST])


@lru_cache(maxsize=8192)
def _says_no_value(opening: str) -> bool:
    folded = fold(opening).rstrip(" .!")
    if not folded or folded in _NO_VALUE:
        return True
    return set(folded) <= _DASHES or _SAYS_NO_VALUE.fullmatch(folded) is not None


@lru_cache(maxsize=8192)
def _placeholder_reason(text: str) -> str | None:
    folded = fold(text)
    plain = folded.strip(_ENDS)
    if not any(letter.isalnum() for letter in plain):
        return None if set(folded) <= _DASHES else "it has neither letters nor digits"
    if len(plain) == 1:
        return "it is a single character"
    if _LEFTOVERS.search(folded) or _is_converted(plain):
        return _LEFTOVER
    if _IS_LOADING.fullmatch(plain):
        return _LOADING
    if reason := _REASON_BY_WHOLE.get(plain):
        return reason
    return next((reason for reason, phrases in _CONTAINED_IN.items() if phrases.search(folded)), None)


def _is_converted(plain: str) -> bool:
    """Tell whether a text consists of what a script writes for missing values: "undefined, undefined"."""
    parts = [part.strip(" ()[]\"'") for part in re.split(r"[,;/|]|\s-\s", plain)]
    return all(part in _CONVERTED for part in parts) and (len(parts) > 1 or plain not in _NO_VALUE)
