"""Words of addresses in Romanian, Russian and English; compared after `fold`."""

import re

from pipeline.transform.source_text import words
from warehouse.folding import fold


def _alternatives(text: str) -> str:
    return "|".join(sorted((re.escape(fold(word)) for word in words(text)), key=len, reverse=True))


_UNITS = _alternatives(
    """
    str | strada | stradela | stradă | bd | bdul | bd-ul | b-dul | bul | bulevardul | bulevard | șos | șoseaua |
    sos | calea | cal | aleea | alee | piața | pața | p-ța | piata | pta | splaiul | intrarea | fundătura |
    fundatura | drumul | pasajul | traseul | traseu | autostrada | cartierul | cartier | cart | microraionul |
    mrn | microraion | mun | municipiul | or | orașul | oraș | oras | orș | com | comuna | sat | satul | s |
    raion | raionul | r-nul | r-ul | r-n | r-l | r-on | rn | rl | jud | județul | sector | sectorul | sec | sect
    | uta | u.t.a | uat | zona | parcul | incinta | extravilan | intravilan | localitatea | loc | loc. | bloc |
    blocul | bl | ap | apartament | apartamentul | of | oficiul | oficiu | birou | biroul | bir | et | etaj |
    etajul | sc | scara | nr | numărul | casa | lot | lotul | cod | cod poștal | încăperea | camera | cam | hala
    | corp | corpul | lit | litera | ул | улица | пер | переулок | пр | пр-т | просп | проспект | бул | б-р |
    бульвар | ш | шоссе | пл | площадь | туп | тупик | наб | набережная | проезд | аллея | трасса | г | гор |
    город | мун | муниципий | с | село | ком | коммуна | пос | поселок | п | р-н | район | р | обл | область |
    сектор | атo | ато | дом | д | кв | квартира | оф | офис | корп | корпус | стр | строение | эт | этаж | пом
    | помещение | лит | литер | бл | блок | мкр | микрорайон | а/я | street | st | avenue | ave | boulevard |
    blvd | road | rd | square | sq | lane | ln | drive | dr | highway | hwy | way | court | place | alley | apt
    | apartment | office | suite | floor | fl | building | bldg | block | room | unit | house | no | city | town
    | village | municipality | district | county | region | sector | commune | p.o. box | po box
    """
)
UNIT = re.compile(rf"(?<![\w-])(?:{_UNITS})(?![\w-])\.?")
"""A word for a part of an address: "str.", "мун.", "street"."""
STREET = re.compile(
    r"(?<![\w-])(?:"
    + _alternatives(
        """
        str | strada | stradela | bd | bd-ul | b-dul | bulevardul | șos | șoseaua | aleea | piața | splaiul | ул
        | улица | пер | проспект | просп | пр-т | бульвар | шоссе
        """
    )
    + r")(?![\w-])"
)
_PLACES = frozenset(
    fold(place)
    for place in words(
        """
        chișinău | bălți | tiraspol | bender | tighina | comrat | cahul | ungheni | soroca | orhei | hîncești |
        hâncești | edineț | strășeni | ceadîr-lunga | ceadâr-lunga | căușeni | drochia | florești | fălești |
        ialoveni | călărași | cimișlia | anenii noi | basarabeasca | briceni | cantemir | criuleni | dondușeni |
        dubăsari | glodeni | leova | nisporeni | ocnița | rezina | rîșcani | râșcani | sîngerei | sângerei |
        șoldănești | ștefan vodă | ștefan-vodă | taraclia | telenești | vulcănești | găgăuzia | transnistria |
        codru | cricova | durlești | sîngera | sângera | vadul lui vodă | vatra | stăuceni | otaci | lipcani |
        cupcini | mărculești | costești | iargara | cornești | bucovăț | ghindești | rîbnița | râbnița |
        slobozia | grigoriopol | camenca | dnestrovsc | giurgiulești | centru | botanica | buiucani | ciocana |
        republica moldova | moldova | românia | romania | bucurești | iași | ucraina | ukraine | kiev | odesa |
        odessa | кишинев | кишинэу | бельцы | бэлць | тирасполь | бендеры | тигина | комрат | кагул | кахул |
        унгены | сорока | оргеев | орхей | хынчешты | единец | единцы | страшены | чадыр-лунга | каушаны |
        дрокия | флорешты | фалешты | яловены | калараш | чимишлия | новые анены | анений ной | бессарабка |
        басарабяска | бричаны | кантемир | криуляны | дондюшаны | дубоссары | глодяны | леова | ниспорены |
        окница | резина | рышканы | сынжерея | сынджерей | шолданешты | штефан водэ | тараклия | теленешты |
        вулканешты | гагаузия | рыбница | слободзея | григориополь | каменка | молдова | республика молдова |
        румыния | украина | россия | chisinau | kishinev | balti | beltsy | gagauzia | moldova | russia |
        germany | italia | italy |
        """
    )
    if place
)
_PLACE = re.compile(
    rf"(?<![\w-])(?:{'|'.join(sorted(map(re.escape, _PLACES), key=len, reverse=True))})(?![\w])"
)
_SENTENCE_WORDS = _alternatives(
    "nu | pentru | adresa | companiei | companie | company | address | map | harta | site | veche | ultima"
)
_NEVER = re.compile(
    r"(?<![\w-])(?:"
    + _alternatives(
        """
        este | sunt | sînt | a fost | au fost | va fi | vă | rugăm | apăsați | apasă | click | clic | faceți |
        contactați | disponibil | disponibilă | indisponibil | vedea | vedeți | afla | vizualiza | ascuns |
        ascunsă | doar | numai | confidențial | confidențială | necunoscut | necunoscută | adresei | actualizat
        | actualizată | modificat | modificată | conectați-vă | autentificare | încarcă | eroare | vezi | arată
        | copiază | copiați | detalii | fost | fosta | fostă | fostul | anterior | anterioară | veche adresă |
        înregistrat | înregistrată | schimbat | schimbată | mutat | mutată | telefon | tel | fax | email |
        e-mail | mail | mob | web | idno | fondator | fondatori | administrator | statut | radiat | radiată |
        lichidată | activă | până | ultimul | lipsește | не | это | есть | для | чтобы | нажмите | войдите |
        доступно | доступен | недоступен | скрыт | скрыто | только | адрес | адреса | карте | карта | показать |
        посмотреть | скопировать | телефон | тел | факс | почта | бывший | прежний | ранее | изменен | обновлен
        | обновлено | неизвестен | неизвестно | компании | зарегистрирован | зарегистрирована | is | are | was |
        were | not | please | available | unavailable | hidden | only | click | see | view | show | your | you |
        this | copy | former | formerly | previous | previously | changed | moved | updated | unknown | phone |
        until | registered at | sign in | log in | subscribe | loading | error | details
        """
    )
    + r")(?![\w-])"
)
_IN_SENTENCES = re.compile(rf"(?<![\w-])(?:{_SENTENCE_WORDS})(?![\w-])")
"""Words that an address contains only as the name of a street."""
REMARK = re.compile(
    r"""(?:sediul?|adresa)?\ ?(?:juridic[a]?|legal[a]?|social|central|actual[a]?|principal[a]?
      |inregistrat[a]?|postal[a]?
    |fizic[a]?|oficial[a]?) | sediu(?:l)?
    | (?:юридический|фактический|почтовый|текущий|действующий)(?:\ адрес)? | юр\.?(?:\ адрес)?
    | (?:legal|registered|head|current|actual|postal|main)(?:\ (?:address|office|seat))? | headquarters
    | (?:din|de\ la|с|since|from|incepand\ cu)\ [\d.]{8,10} | conform\ (?:rsud|registrului) | verificat[a]? | 
    (?:по\ данным|согласно)\ реестр[ауе]""",
    re.VERBOSE,
)
"""A remark after an address that does not change what it means."""


def names_place(folded: str) -> bool:
    """Tell whether a folded text contains the name of a town or district of Moldova, or of a country near it."""
    return _PLACE.search(folded) is not None


def is_place(folded: str) -> bool:
    """Tell whether a folded text is the name of such a place and nothing else."""
    return folded in _PLACES


def says_more(piece: str) -> bool:
    """Tell whether a folded piece of an address contains a word that addresses do not contain: of a message, a remark.

    "adresa nu a fost actualizata din 2015" → True; "str. adresa veche" → False: it is the name of a street
    """
    return _NEVER.search(piece) is not None or (
        STREET.match(piece) is None and _IN_SENTENCES.search(piece) is not None
    )
