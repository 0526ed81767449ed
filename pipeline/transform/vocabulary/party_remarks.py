"""Words about a party that are neither name, role nor kind: former holders, joint stakes, remarks that are kept."""

from pipeline.transform.source_text import words

FORMER_WORDS = frozenset(
    words(
        """
        fost | fosta | fosti | foste | fostul | anterior | anterioara | ex | revocat | revocata | eliberat |
        eliberata | demis | demisa | retras | retrasa | exclus | exclusa | decedat | decedata | incetat |
        incetata | istoric | demisionat | demisionata | a demisionat | a fost eliberat | expirat | nu mai
        detine functia | eliberat din functie | eliberata din functie | iesit | iesita | precedent | a iesit
        | retras din asociati | cota cedata | cedat | instrainat | vandut | a vandut cota | fost asociat |
        former | formerly | previous | past | resigned | removed | dismissed | deceased | expired |
        terminated | ended | historic | historical | retired | left | no longer in office | sold | withdrawn
        | бывший | бывшая | бывшие | прежний | прежняя | предыдущий | предыдущая | уволен | уволена |
        исключен | исключена | выбыл | выбыла | вышел | вышла | освобожден | освобождена | умер | умерла |
        архив | отстранен | отстранена | вышел из состава | вышла из состава | полномочия прекращены
        """
    )
)
"""The party was a founder or an administrator and is not any more."""
_FORMER_OPENINGS = (
    *("fost ", "fosta ", "fostul ", "fostii ", "fosti ", "ex ", "ex-", "former ", "previous ", "past "),
    *("бывший ", "бывшая ", "прежний ", "прежняя ", "экс-"),
)
JOINT_TEXTS = frozenset(
    words(
        """
        cota comuna | in comun | cote comune | cota in comun | detinuta in comun | detinute in comun |
        impreuna | proprietate comuna | cota indiviza | coproprietate | comun | indiviziune | in indiviziune
        | joint | jointly | joint stake | joint share | joint holding | held jointly | jointly held |
        together | common share | joint tenancy | совместно | совместная доля | общая доля | общая
        собственность | вместе | долевая собственность | в общей собственности | совместная собственность |
        codevalmasie | in devalmasie | cota comuna in diviziune | coproprietari | cota comuna indiviza |
        доля совместная | доля общая | совместное владение | proprietate devalmasa | detin in comun | joint
        ownership
        """
    )
)
"""A stake that several parties hold together."""
FILLERS = frozenset(
    words(
        """
        cota | cota-parte | cota parte | cota, % | partea | parte sociala | partea sociala | ponderea |
        procent | procentaj | cota de participare | participare | доля | доля участия | процент | share |
        stake | shares | ownership | interest | idno | idnp | cod fiscal | cod | идно | фискальный код | код
        | fiscal code | tax id | code | aport | aportul | contributia | contributie | вклад | взнос |
        contribution | rol | rolul | functia | functie | calitatea | in calitate de | calitate | роль |
        должность | role | position | tip | tipul | тип | type | tara | страна | country | nume | numele |
        denumire | denumirea | имя | фио | наименование | name | data numirii | numit | data | дата | nume,
        prenume | nr | nr. | cetatenia | cetatenie | гражданство | citizenship | nationality | valoarea |
        suma | сумма | amount | cota (%) | statut | stare | статус | status | din data | din capital | din
        capitalul social | из капитала | уставного капитала | of capital | of the capital | of the share
        capital | la suta | %
        """
    )
)
"""Labels inside a party's entry; the value after them says the same without them."""
REMARKS = frozenset(
    words(
        """
        actual | actuala | actuali | curent | curenta | current | действующий | действующая | текущий |
        activ | activa | in functie | in exercitiu | in prezent | prezent | present | da | yes | active |
        активен | активна | pana in prezent | по настоящее время | настоящее время | interimar | interim |
        acting | и.о. | врио | provizoriu | temporar | временный | временно | temporary | verificat |
        verificata | verified | проверен | проверено | principal | unic | unica | sole | единственный |
        majoritar | minoritar | majority | minority | мажоритарный | миноритарный | rezident | nerezident |
        resident | non-resident | резидент | нерезидент | nou | noua | new | новый | strain | foreign |
        иностранный | foreign citizen | cetatean strain | иностранный гражданин | fara drept de semnatura |
        cu drept de semnatura | semnatar | право подписи | gajat | gajata | cota gajata | sechestru | sub
        sechestru | pledged | в залоге | под арестом | tutore | mostenitor | din oficiu | nedeterminat |
        perioada nedeterminata | mandat nelimitat | бессрочно | indefinite | drept de vot | independent |
        independenta | ales | aleasa | numit | numita | elected | appointed | назначен | назначена | избран
        | neplatita | platita | achitat | achitata | varsat integral | integral | paid | оплачено | nr. crt
        | persoana publica | pep | beneficiar efectiv si fondator | cu domiciliul in | domiciliat
        """
    )
)
"""Remarks that are kept and change neither name nor share."""


def without_former_word(folded: str) -> str | None:
    """Return a folded text without the word for "former" before it, or None: "fost administrator" → "administrator"."""
    return next(
        (folded.removeprefix(opening) for opening in _FORMER_OPENINGS if folded.startswith(opening)), None
    )


CURRENT_WORDS = frozenset(
    words(
        """
        prezent | in prezent | pana in prezent | actual | curent | nedeterminat | nelimitat | perioada
        nedeterminata | azi | present | now | current | today | indefinite | unlimited | ongoing | настоящее
        время | по настоящее время | н.в | н. в | бессрочно | сейчас | сегодня | activ | in functie
        """
    )
)
"""In the place of an end date: the party still is what the list says."""
