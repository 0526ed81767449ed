"""The messages that a site shows instead of a company, and the titles that name no company, in three languages.

A text is a message only as a whole: each of its words is in the vocabulary of messages, or it consists of the opening
of a message and its object. A company's name may contain the same words, but then it contains other words too:

    "Compania nu a fost găsită"    → NOT_FOUND
    "Rezultatele căutării: „nuc”"  → SEARCH
    "PAGE NOT FOUND STUDIO SRL"    → None
"""

import re
from enum import StrEnum
from functools import lru_cache
from itertools import takewhile

from pipeline.transform.source_text import fold, words
from pipeline.transform.vocabulary.names import has_legal_form, is_name_shaped
from pipeline.transform.vocabulary.terms import legal_form_of


class Message(StrEnum):
    """What a message says."""

    CHALLENGE = "challenge"
    MAINTENANCE = "maintenance"
    LIMIT = "limit"
    SIGN_IN = "sign_in"
    SEARCH = "search"
    NOT_FOUND = "not_found"
    ERROR = "error"
    LOADING = "loading"


_PHRASES: dict[Message, list[str]] = {
    # The first kind with a phrase in the text counts.
    Message.CHALLENGE: words(
        """
        just a moment | checking your browser | checking if the site | verify you are human |
        verify you are not a robot | verifying you are human | attention required | are you a robot |
        are you human | enable javascript and cookies | access denied | captcha | recaptcha | ddos protection |
        security check | security verification | one more step | i am not a robot | unusual traffic |
        nu sunt robot | nu sunteti robot | nu esti robot | verificare de securitate | verificarea de securitate |
        verificarea browserului | verificam browserul | se verifica browserul | acces interzis |
        accesul este interzis | accesul a fost blocat | acces blocat | ati fost blocat | un moment va rugam |
        confirmati ca sunteti om | доступ запрещен | доступ заблокирован | доступ ограничен | проверка браузера |
        проверяем ваш браузер | проверка безопасности | вы не робот | я не робот | что вы человек |
        подозрительная активность | you have been blocked | access restricted | acces restrictionat
        """
    ),
    Message.MAINTENANCE: words(
        """
        mentenanta | lucrari tehnice | lucrari de intretinere | lucrari de mentenanta | in curs de actualizare |
        intretinere tehnica | revenim curand | revenim in curand | revenim imediat | site in constructie |
        site-ul este in constructie | in constructie | ne intoarcem curand | pauza tehnica | технические работы |
        технических работ | техническое обслуживание | техническом обслуживании | технические неполадки |
        на обслуживании | профилактические работы | ведутся работы | скоро вернемся | мы скоро вернемся |
        сайт на реконструкции | регламентные работы | технический перерыв | технологический перерыв |
        technical work | technical works | work in progress | upgrade in progress | временно не работает |
        maintenance | be back soon | back soon | be right back | under construction | coming soon | upgrading
        """
    ),
    Message.LIMIT: words(
        """
        limita zilnica | limita de cautari | limita de accesari | limita de vizualizari | limita de solicitari |
        limita de interogari | limita a fost atinsa | limita atinsa | limita depasita | limita lunara |
        ati atins limita | ati depasit limita | ati epuizat | ai atins limita | limita gratuita |
        prea multe cereri | prea multe solicitari | prea multe accesari | numarul maxim | дневной лимит |
        лимит исчерпан | лимит превышен | лимит запросов | лимит просмотров | превышен лимит | исчерпан лимит |
        исчерпали лимит | достигнут лимит | лимит достигнут | слишком много запросов | превысили лимит |
        достигли лимита | суточный лимит | limit reached | daily limit | monthly limit | limit exceeded |
        too many requests | quota exceeded | quota reached | rate limit | request limit | exceeded the limit |
        reached the limit | reached your limit | reached your daily | free views | usage limit
        """
    ),
    Message.SIGN_IN: words(
        """
        conectati-va | autentificati-va | autentificare | autentificare necesara | conectare | inregistrati-va |
        logati-va | intrati in cont | creati un cont | creati-va un cont | abonati-va | abonament | abonamentul |
        sesiunea a expirat | sesiune expirata | inregistrare cont | conecteaza-te | autentifica-te |
        inregistreaza-te | aboneaza-te | autorizare | cont premium | войдите | авторизуйтесь | авторизация |
        требуется авторизация | зарегистрируйтесь | войти | вход | вход в систему | подписка | по подписке |
        для подписчиков | подписке | pentru abonati | оформите подписку | подпишитесь | сессия истекла |
        личный кабинет | sign in | log in | login | sign up | register to | authentication required |
        session expired | session has expired | subscription | subscribe | create an account | premium account |
        unauthorized | members only
        """
    ),
    Message.NOT_FOUND: words(
        """
        nu a fost gasit | nu a fost gasita | nu au fost gasite | nu a fost identificata | nu exista |
        nu mai exista | negasit | negasita | nu am gasit | nu s-a gasit | nu s-au gasit | nu sa gasit | inexistent |
        inexistenta | niciun rezultat | nici un rezultat | fara rezultate | nimic gasit | nu figureaza |
        lipseste din registru | idno gresit | idno invalid | idno incorect | cod invalid | not found |
        does not exist | doesn't exist | doesn’t exist | no such company | could not find | couldn't find |
        couldn’t find | can't find | can’t find | cannot find | nothing found | no company | no companies |
        no results | no longer exists | no data found | invalid idno | unknown company | could not be found |
        was not found | cannot be found | no match | no matches | не найден | не найдена | не найдено | не найдены |
        не существует | отсутствует в реестре | ничего не найдено | нет результатов | не удалось найти |
        ничего не нашлось | не нашли | неверный idno | неверный код | не значится
        """
    ),
    Message.SEARCH: words(
        """
        rezultatele cautarii | rezultate cautare | rezultate ale cautarii | rezultatul cautarii | rezultate gasite |
        companii gasite | cautare companii | cautare | cauta companii | lista companiilor | catalogul companiilor |
        toate companiile | rezultate | результаты поиска | результат поиска | найденные компании | поиск компаний |
        поиск компании | поиск | список компаний | каталог компаний | все компании | результаты | search results |
        search | companies found | results found | company search | search companies | list of companies |
        all companies | companies list | company directory | results
        """
    ),
    Message.ERROR: words(
        """
        eroare | eroarea | nu au putut | nu a putut | ceva nu a mers | ceva n-a mers | incercati mai tarziu |
        indisponibil | indisponibila | indisponibile | nu s-a putut | nu s-au putut | nu am putut |
        nu este disponibil | nu este disponibila | nu sunt disponibile | a aparut o problema | ceva a mers prost |
        nu raspunde | nu functioneaza | is down | не работает | suprasolicitat | server supraincarcat |
        temporar oprit | conexiune intrerupta | error | errors | something went wrong | went wrong |
        try again later | unavailable | not available | failed to load | oops | bad gateway | gateway timeout |
        gateway time-out | bad request | forbidden | service suspended | timed out | connection lost |
        server is busy | overloaded | ошибка | ошибки | что-то пошло не так | попробуйте позже | повторите позже |
        недоступен | недоступна | недоступно | недоступны | не удалось | сервер перегружен | перегружен |
        не отвечает | сбой | упс | ой | произошел сбой | нет соединения | технические проблемы
        """
    ),
    Message.LOADING: words(
        """
        se incarca | asteptati | va rugam asteptati | incarcare | loading | please wait | загрузка | загружается |
        подождите | идет загрузка | pregatim datele
        """
    ),
}
_FILLERS = frozenset(
    fold(word)
    for word in words(
        """
        a | ai | al | ale | am | au | ar | acest | aceasta | acestei | acestui | acces | accesa | accesul |
        accesata | adresa | afisa | afisata | afisate | aici | aparut | apoi | atinsa | atins | avut | browserul |
        ca | care | cautat | cautata | cautati | cauza | caz | ce | cel | cerere | cererea | cererii | ceva |
        codul | cod | companie | compania | companiei | companii | complet | cont | contul | continua | continuare |
        criteriile | cu | cum | curand | cei | cele | da | datele | date | datelor | de | decat | depasit |
        depasita | din | disponibil | disponibila | doar | dorita | dumneavoastra | dvs | e | eroare | este |
        expirat | exista | firma | firmei | fi | fost | gasita | gasit | gasite | gratuita | gratuite | idno | in |
        inainte | inca | incarcarea | incarca | incarcat | indicat | indicata | indicate | informatia | informatii |
        informatiile | inregistrat | intern | interna | internet | introdus | incercati | incerca | intreprinderea |
        la | legatura | limita | limite | lipsesc | locul | lucrari | ma | mai | maine | mult | multe | mers |
        moment | momentan | minute | ne | necesar | necesara | necesita | nou | noi | nostru | nostri | nu |
        neasteptata | o | ori | oare | oprit | ore | pagina | paginii | pare | pauza | pe | pentru | persoana |
        poate | poate fi | preluarea | prin | procesarea | produs | proba | plata | rau | rabdare | reveniti |
        registru | registrul | regret | regretam | robot | rugam | sa | saptamana | sau | scurt | se | server |
        serverul | serverului | serviciu | serviciul | si | sistem | sistemul | site | site-ul | siteul |
        solicitari | solicitarea | solicitata | solicitat | spatiu | sunt | sus | suntem | tarziu | tehnica |
        tehnice | temporar | text | timp | timpul | toate | trebuie | un | una | unei | unui | utilizator | va |
        valabil | vedea | vederea | vizualiza | vizualizari | vom | zi | zile | zilnica | zilei | astazi | azi |
        cautari | cautarii | programata | programate | cerem | putut | incarcate | incarcata | cateva | nicio |
        niciun | verificati | codului | efectua | efectuat | afisat | revenim | pagini | lucram | imbunatatim |
        criteriilor | accesati | stimati | utilizatori | depasi | fie | scuze | scuzati | putem | poti | puteti |
        portalul | portal | temporare | peste | the | this | that | an | and | are | as | at | be | been | being |
        by | can | can't | can’t | cannot | check | click | code | company | companies | connection | continue |
        could | data | database | day | did | didn't | do | does | down | due | entered | exist | exists | failed |
        few | find | for | for you | found | free | from | further | gateway | get | go | had | has | have | here |
        home | hour | hours | i | if | information | internal | is | it | it's | its | later | limit | load |
        loading | long | looking | longer | make | maximum | may | minutes | momentarily | more | moved | network |
        no | not | now | number | of | on | once | or | our | out | page | pages | patience | performing | please |
        possible | proceed | processing | problem | profile | reached | reason | record | records | reload |
        removed | request | requested | requests | required | resource | response | retry | return | review |
        scheduled | search | seconds | security | service | services | shortly | should | some | something | soon |
        sorry | still | system | take | reasons | legal | improving | working | things | matching | matches |
        match | query | following | hang | tight | upgrading | support | contact | administrator | exceeded |
        temporarily | temporary | than | thank | there | time | to | today | tomorrow | too | try | trying | under |
        unable | unexpected | until | unfortunately | up | upgrade | url | used | user | view | views | visit |
        wait | was | we | we'll | we’ll | we're | we’re | web | website | were | what | when | while | will | with |
        wrong | you | you've | you’ve | your | again | any | all | access | account | back | before | busy | but |
        complete | completed | details | human | daily | monthly | needs | need | в | во | вам | вас | ваш | ваша |
        ваше | ваши | введен | введенный | ведутся | вернитесь | возникла | время | временно | все | вы | где |
        данная | данные | данных | для | до | доступ | доступна | доступно | еще | её | завтра | загрузке |
        загрузить | запрос | запроса | запросов | запрошенная | запрошенный | запрашиваемая | запросу | здесь | и |
        идут | из | извините | или | информация | информации | искомая | их | к | как | карточка | код | кодом |
        компания | компании | компаний | компанию | лимит | мы | на | назад | нам | нами | не | нет | неверный |
        немного | несколько | ничего | но | номер | номером | о | об | обновите | обслуживания | обработке | он |
        она | от | ответ | отображения | отсутствует | очень | ошибка | пожалуйста | позднее | позже | по |
        повторите | под | попробуйте | попытку | при | приносим | причине | приходите | проверьте | произошла |
        произошел | просмотра | просмотров | проводятся | работ | работает | работы | раз | реестр | реестре | с |
        сайт | сайта | сайте | свяжитесь | сегодня | сейчас | сервер | сервера | сервис | сервиса | сети | система |
        системе | скоро | слишком | снова | со | сожалению | страница | страницу | страницы | такая | такой |
        такого | техническим | технические | только | у | увидеть | удалена | утра | фирма | хотите | часа | часов |
        через | что | чтобы | что-то | это | эта | этой | этого | эту | внутренняя | внутренний | доступен |
        извинения | находится | организация | организации | предприятие | предприятия | просим | указанным |
        указанный | этом | портал | портале
        """
    )
)
"""Words that occur in messages beside the phrases. A text that also contains any other word is no message."""

_SUBJECT = re.compile(
    r"(?:compania|firma|intreprinderea|pagina|codul|idno|компания|фирма|страница|организация|предприятие|"
    r"(?:the )?(?:company|page|firm))\b"
)
_SUBJECT_ENDINGS = re.compile(
    r"\b(?:nu a fost gasit[ae]?|nu (?:mai )?exista(?: in registru)?|nu s-a gasit|inexistenta?|not found|"
    r"(?:does not|doesn['’]t) exist|(?:was|could) not (?:be )?found|не найден[ао]?|не существует|"
    r"отсутствует(?: в реестре)?|"
    r"(?:este |is )?(?:temporar |temporarily )?(?:indisponibila?|unavailable)|недоступн[ао])[\s.!]*$"
)
_QUERY = r"(?:\s*[:«„“\"'(]|\s+[–—-]\s|\s*$).*"
_OBJECT = r"(?:\s*[:«„“\"'(]|\s+[–—-]\s|\s+(?:pentru|dupa|for|of|по|для)\b|\s*$).*"
_COUNTED = (
    r"(?:companii?|compania|companie|firme|rezultate?|inregistrari|de companii|de rezultate|compan(?:y|ies)|results?|"
    r"records?|matches|компани[яиюй]|результат(?:а|ов)?|совпадени[яей]+|запис[ьией]+|организаци[яий]+)"
)
_OPENINGS: dict[Message, re.Pattern[str]] = {
    Message.SEARCH: re.compile(
        rf"""
          (?:rezultat(?:e|ele|ul)?\ (?:ale\ )?(?:de\ )?cautar(?:ii|e)|search\ results?|результаты?\ поиска|
            companii\ gasite|найденные\ компании){_OBJECT}
        | (?:rezultate|results?|search|cautare|результаты?|поиск){_QUERY}
        | (?:rezultatele|rezultate|results)\ (?:pentru|for)\b.* | результаты\ (?:по|для)\b.*
        | (?:au\ fost\ |s-au\ |s-a\ |am\ |a\ fost\ )?(?:gasit[aei]?|identificate)\ (?:\d+|o|un)\ (?:de\ )?{_COUNTED}\b.*
        | (?:we\ )?found\ \d+\ {_COUNTED}\b.* | (?:мы\ )?найден[аоы]?:?\ (?:\d+\ )?{_COUNTED}\b.*
        | (?:showing|afisate|se\ afiseaza|показано|показаны)\ \d+.*
        | \d+\ {_COUNTED}(?:\s*$|\ (?:found|gasit|pentru|for|dupa|найден|по\ запросу).*)
        """,
        re.VERBOSE,
    ),
    Message.ERROR: re.compile(
        r"(?:a aparut o|s-a produs o|a intervenit o|a avut loc o) (?:eroare|problema)\b.*"
        r"|an error\b.*|internal server error\b.*|произошла (?:внутренняя )?ошибка\b.*|возникла ошибка\b.*"
        r"|[45]\d\d[\s:–—-]+(?:[\w-]+[\s:–—-]+){0,4}(?:eroare|error|unavailable|timeout|gateway|forbidden|ошибка)\b.*"
    ),
    Message.SIGN_IN: re.compile(
        r"(?:va rugam sa (?:va|v-)|conectati-va|autentificati-va|inregistrati-va|abonati-va|intrati in cont|"
        r"войдите|авторизуйтесь|зарегистрируйтесь|подпишитесь|оформите|"
        r"(?:please )?(?:sign in|log in|sign up|subscribe|register))"
        r" (?:conectati|autentificati|pentru|ca sa|in|sau|чтобы|для|или|подписку|to|or|and|for)\b.*"
    ),
    Message.CHALLENGE: re.compile(
        r"(?:please |va rugam sa |va rugam |пожалуйста,? )?"
        r"(?:complete (?:the|a) (?:security|captcha)|confirmati ca|подтвердите,? что|verify (?:that )?you|"
        r"prove (?:that )?you).*"
    ),
}
_GENERIC_WORDS = frozenset(
    words(
        """
        fisa | profil | profilul | date | datele | informatii | informatiile | detalii | detaliile | cartela |
        card | cardul | pagina | pasaport | pasaportul | extras | extrasul | generale | despre | din | registru |
        registrul | de | stat | al | a | companie | compania | companiei | companii | firma | firmei |
        intreprindere | intreprinderii | intreprinderea | agent | agentului | agentul | economic | persoana |
        persoanei | juridica | juridice | societatii | societatea | organizatiei | organizatia | unitatii |
        unitate | de drept | persoanelor | companiilor | dosar | dosarul | raport | raportul | prezentare |
        generala | sumar | idno | cod | fiscal | acasa | oficial | oficiale | si | date-cheie | карточка | профиль |
        данные | информация | сведения | общие | общая | о | об | из | страница | досье | выписка | реестр |
        реестра | реестре | компания | компании | компаний | фирма | фирмы | фирме | предприятие | предприятия |
        предприятии | организация | организации | юридическое | юридического | юридическом | лицо | лица | лице |
        отчет | обзор | главная | паспорт | идно | код | экономического | агента | company | companies | business |
        firm | entity | legal | organisation | organization | profile | details | information | info | data |
        about | general | overview | the | of | page | record | register | registry | report | summary | home |
        official | state | file | sheet | public | view | main | basic
        """
    )
)
"""Words of titles that name no company ("Fișa companiei"). A text of these words only is such a title."""
_KINDS_OF_PAGES = (
    r"(?:fisa|profilul|datele|informatii despre|date despre|pagina|dosarul|detalii(?: despre)?|карточка|профиль|"
    r"данные о|информация о|сведения о|досье|company (?:profile|card|details|page|information|record))"
)
_OWNERS = (
    r"(?:companiei|firmei|intreprinderii|agentului economic|societatii|companie|persoanei juridice|компании|фирмы|"
    r"предприятия|организации|юридического лица)"
)
_GENERIC_STARTS = re.compile(
    rf"{_KINDS_OF_PAGES}(?:\s{_OWNERS})?\s*(?:[:–—-]\s+)|{_KINDS_OF_PAGES}\s{_OWNERS}\s+"
)
_SITE_NAMES = re.compile(
    r"(?:www\.)?(?:openmoney|[a-z0-9-]+)\.(?:md|com|org|net|ro|eu)|openmoney(?: moldova)?"
)
_QUOTED = re.compile(r"„[^”“]*[”“]|“[^”]*”|«[^»]*»|\"[^\"]*\"")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE_WORDS = frozenset(
    words(
        """
        este | sunt | sint | sunteti | esti | nu | va | verificam | pentru a | доступно | доступна | vom | veti |
        avem | aveti | puteti | fost | trebuie | poate | rugam | temporar | momentan | incercati | reveniti |
        functioneaza | is | are | was | were | not | please | we | you | your | cannot | can't | will | be | has |
        have | try | temporarily | currently | unavailable | не | мы | вы | вас | вам | ваш | пожалуйста |
        временно | будет | можно | нельзя | работает | недоступен
        """
    )
)
_STATUS_ALONE = re.compile(r"(?:http |error |eroare |eroarea |ошибка )?([45]\d\d)(?: error)?")
_LEFTOVER = re.compile(
    r"\{\{|\}\}|\[object |lorem ipsum|^(?:undefined|null|nan|company name|denumirea companiei)$"
)
_MAX_LENGTH = 200


@lru_cache(maxsize=2048)
def message_of(text: str) -> Message | None:
    """Return what a text says if the whole text is a message of the site, else None."""
    plain = fold(text[: _MAX_LENGTH + 1]).strip(" .!?…:")
    if not plain or len(plain) > _MAX_LENGTH:
        return None
    if status := _STATUS_ALONE.fullmatch(plain):
        return Message.NOT_FOUND if status[1] in ("404", "410") else Message.ERROR
    if _OPENINGS[Message.SEARCH].fullmatch(plain):
        return Message.SEARCH
    if _SUBJECT.match(plain) and (end := _SUBJECT_ENDINGS.search(plain)):
        return _phrase_kind(end[0]) or Message.NOT_FOUND
    unquoted = _QUOTED.sub(" ", plain)
    if has_legal_form(unquoted):
        return None
    kind = _phrase_kind(unquoted)
    for message, opening in _OPENINGS.items():
        if opening.fullmatch(unquoted):
            return kind or message
    return kind if kind and _only_words_of_messages(unquoted) else None


def _phrase_kind(plain: str) -> Message | None:
    """Return the first kind of message of which a phrase is in a folded text."""
    padded = f" {' '.join(_WORD.findall(plain))} "
    return next(
        (kind for kind, phrases in _PADDED_PHRASES if any(phrase in padded for phrase in phrases)), None
    )


def _only_words_of_messages(plain: str) -> bool:
    """Tell whether the words of a text are those of messages; in a sentence, one word in five may be another."""
    found = _WORD.findall(_SITE_NAMES.sub(" ", plain))
    return sum(word not in _MESSAGE_WORDS for word in found) * 5 <= len(found)


_PADDED_PHRASES = [
    (kind, [f" {' '.join(_WORD.findall(fold(phrase)))} " for phrase in phrases])
    for kind, phrases in _PHRASES.items()
]
_MESSAGE_WORDS = {word for filler in _FILLERS for word in _WORD.findall(filler)} | {
    word for phrases in _PHRASES.values() for phrase in phrases for word in _WORD.findall(fold(phrase))
}


@lru_cache(maxsize=2048)
def is_generic_title(text: str) -> bool:
    """Tell whether a text is a title that names no company: of a kind of page, of the site, or an unfilled template.

    "Fișa companiei", "Company profile", "openmoney.md", "{{ company.name }}" → True
    """
    plain = fold(text[:_MAX_LENGTH]).strip(" .:")
    if _LEFTOVER.search(plain) or _SITE_NAMES.fullmatch(plain):
        return True
    found = _WORD.findall(plain)
    return bool(found) and all(word in _GENERIC_WORDS for word in found) and not has_legal_form(plain)


def without_generic_start(text: str) -> str:
    """Return a title without the words at its start that name the kind of the page.

    "Fișa companiei ALFA FRUCT SRL", "Compania ALFA FRUCT" → "ALFA FRUCT SRL", "ALFA FRUCT"
    """
    found = text.split()
    generic = list(takewhile(lambda word: fold(word).strip(":–—-") in _GENERIC_WORDS, found))
    rest = " ".join(found[len(generic) :])
    is_in_other_case = rest.isupper() and not any(word.isupper() for word in generic)
    if not is_in_other_case:
        # "PROFILUL COMPANIEI MEDIA SRL" may be a name, "PROFILUL COMPANIEI: MEDIA SRL" is none.
        match = _GENERIC_STARTS.match(fold(text))
        if match is None or (text.isupper() and not match[0].rstrip().endswith((":", "–", "—", "-"))):
            return text
        rest = " ".join(found[len(match[0].split()) :])
    return rest if is_name_shaped(rest) and legal_form_of(rest) is None else text


def is_sentence(text: str) -> bool:
    """Tell whether a text contains a word that a sentence has and a name has not: a verb, a pronoun.

    "SERVICIUL NU FUNCȚIONEAZĂ" → True
    """
    return any(word in _SENTENCE_WORDS for word in _WORD.findall(fold(text)))
