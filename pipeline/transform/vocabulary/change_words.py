"""Headers of columns and sections that state a value before and after a change.

All words are compared after `fold`, without punctuation around them.
"""

from pipeline.transform.source_text import fold, words

BEFORE_WORDS = frozenset(
    fold(word)
    for word in words(
        """
        inainte | inainte de modificare | inaintea modificarii | pana la modificare | a fost | era | anterior |
        anterioara | precedent | precedenta | vechi | veche | fost | fosta | trecut | in trecut | valoare veche |
        valoarea veche | valoare anterioara | valoarea anterioara | valoarea precedenta | valoare precedenta |
        date anterioare | date vechi | situatia anterioara | situatia veche | starea anterioara | varianta veche |
        versiunea veche | versiunea anterioara | valoare initiala | valoarea initiala | initial |
        было | раньше | ранее | прежде | до | до изменения | до изменений | старое | старое значение |
        прежнее значение | прежнее | предыдущее | предыдущее значение | прежние данные | старые данные | исходное |
        before | before the change | before change | was | previous | previously | previous value | former | formerly |
        former value | old | old value | prior | prior value | past | earlier | previous data | old data |
        original value
        """
    )
)
"""Headers of what was true once."""

NOW_WORDS = frozenset(
    fold(word)
    for word in words(
        """
        acum | in prezent | prezent | la moment | este | dupa | dupa modificare | actual | actuala | curent | curenta |
        nou | noua | valoare noua | valoarea noua | valoare actuala | valoarea actuala | valoare curenta |
        valoarea curenta | date actuale | date curente | date noi | situatia actuala | situatia curenta |
        starea actuala | varianta noua | versiunea noua | versiunea actuala | versiunea curenta | valoare | valoarea |
        стало | сейчас | теперь | ныне | в настоящее время | после | после изменения | после изменений | новое |
        новое значение | текущее | текущее значение | нынешнее | актуальное | актуальные данные | текущие данные |
        значение |
        now | after | after the change | after change | is | current | currently | current value | new | new value |
        present | today | at present | current data | new data | latest | latest value | value
        """
    )
)
"""Headers of what is true now, where another header says what was true once."""

FROM_WORDS = frozenset(
    words("de la | din | din data | с | от | from | since | valabil de la | incepand cu | start")
)
UNTIL_WORDS = frozenset(
    words(
        """
        pana la | pina la | pana in | pana | la | до | по | to | until | till | valabil pana la | valid until | end |
        data incetarii | data sfarsit | дата окончания
        """
    )
)
"""Headers of the days from which and until which a row was true."""

STILL_WORDS = frozenset(
    words(
        """
        prezent | in prezent | azi | acum | curent | actual | astazi | pana in prezent |
        настоящее время | н.в | по настоящее время | сейчас | сегодня | по н.в |
        present | now | today | current | to date | ongoing
        """
    )
)
"""What stands in the place of the day until which a row is true, if it is still true."""
