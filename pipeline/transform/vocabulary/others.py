"""More labels in three languages: of statements, of facts that are not read, of content about others or the site.

Labels are compared after `fold`. A text that is in no table is not a label.
"""

from pipeline.transform.source_text import words
from pipeline.transform.vocabulary.field import Field

LABELS: dict[Field, list[str]] = {
    Field.STATEMENTS: words(
        """
        situatii financiare | date financiare | indicatori | indicatori financiari | situatia financiara |
        rapoarte financiare | finante | финансовая отчетность | финансы | финансовые показатели | отчетность
        | financial statements | financial data | key figures | financials | financial reports | financial
        indicators | bilant | bilantul | bilantul contabil | situatia de profit si pierdere | rezultate
        financiare | indicatorii financiari | situatiile financiare | баланс | бухгалтерский баланс | отчет
        о прибылях и убытках | финансовые результаты | balance sheet | profit and loss | income statement |
        financial results
        """
    ),
    Field.OTHER: words(
        """
        localitate | localitatea | raion | raionul | sector | activitati | genuri de activitate | licente |
        genul de activitate | telefon | email | e-mail | site | website | site web | fax | tel | tel. |
        genurile de activitate | activitati economice | tipuri de activitate | lista activitatilor |
        activitati declarate | domenii de activitate | business activities | economic activities |
        cuiio | pagina web | beneficiari | beneficiari efectivi | lista beneficiarilor efectivi | beneficiar
        efectiv | data lichidarii | data radierii | contabil | contabil-sef | contabilul-sef | actualizat la
        | an | anul | oras | capital social | capitalul social | numar de angajati | angajati | data
        actualizarii | cod postal | adresa de e-mail | adresa electronica | adresa email | adresa de email |
        adresa web | adresa site | data inregistrarii tva | cod tva | tva | activitate principala |
        activitatea principala | caem | obiect de activitate | genul principal de activitate | data
        revizuirii | cifra de afaceri | filiale | виды деятельности | телефон | дата ликвидации | лицензии |
        деятельность | бенефициары | год | район | уставный капитал | дата обновления | адрес эл. почты |
        электронный адрес | электронная почта | эл. почта | дата регистрации ндс | сайт | веб-сайт |
        населенный пункт | город | конечные бенефициары | обновлено | факс | количество сотрудников | сектор
        | почтовый индекс | реальные бенефициары | вид деятельности | основной вид деятельности | бухгалтер
        | главный бухгалтер | activities | phone | city | licences | licenses | beneficial owners |
        liquidation date | vat | updated | year | last updated | share capital | e-mail address | email
        address | web address | vat registration date | district | telephone | web site | employees | number
        of employees | lines of business | beneficiaries | ultimate beneficial owners | postal code | main
        activity | region | locality | accountant | email-ul | contact e-mail | chief accountant | unitatea
        administrativ-teritoriala | unitate administrativ-teritoriala | административно-территориальная
        единица | administrative unit | administrative-territorial unit
        """
    ),
    Field.ELSEWHERE: words(
        """
        companii similare | firme similare | alte companii | vezi si | companii din acelasi domeniu |
        companii recomandate | companii apropiate | ultimele companii | companii noi | companii asemanatoare
        | companii vizualizate recent | companii din apropiere | companii legate | companii afiliate |
        concurenti | companii populare | top companii | cele mai cautate companii |
        alte companii din domeniu | похожие компании | другие компании | смотрите также | см. также |
        рекомендуемые компании | компании рядом | связанные компании | недавно просмотренные |
        популярные компании | конкуренты | новые компании | топ компаний | компании поблизости |
        аффилированные компании | похожие организации | similar companies | related companies |
        other companies | see also | recommended companies | nearby companies | recently viewed |
        popular companies | competitors | you may also like | affiliated companies | companies nearby |
        top companies | new companies | similar firms | despre noi | despre site | о нас | о сайте |
        about us | about this site | operatorul site-ului | operator | site operator | оператор сайта |
        contactele noastre | наши контакты | contact us | contactati-ne | свяжитесь с нами |
        operatorul platformei | our contacts | our office
        """
    ),
    Field.HISTORY: words(
        """
        istoric | istoricul | istoria | istoricul modificarilor | istoric modificari | istoricul companiei |
        modificari | modificarile | modificari inregistrate | modificari operate | lista modificarilor |
        jurnal de modificari | jurnalul modificarilor | schimbari | date anterioare | date istorice | date vechi |
        date precedente | informatii anterioare | evolutia datelor | arhiva | cronologie | evenimente |
        istoricul inregistrarilor | istoricul denumirilor | istoricul adreselor | istoricul fondatorilor |
        istoricul administratorilor |
        istoric denumiri | istoric adrese | istoric fondatori | istoric administratori | valori anterioare |
        versiuni anterioare | inregistrari anterioare | mentiuni anterioare | actualizari anterioare |
        история | история изменений | история компании | изменения | журнал изменений | список изменений |
        прежние данные | предыдущие данные | исторические данные | архив | архивные данные | хронология | события |
        история названий | история адресов | история учредителей | история руководителей | прошлые данные |
        прежние сведения | внесенные изменения | лента изменений | история записей |
        history | change history | history of changes | changes | changelog | change log | log of changes |
        company history | historical data | previous data | former data | past data | archive | timeline | events |
        name history | address history | ownership history | founder history | management history |
        record history | registration history | past records | previous records | previous values | previous versions |
        ранее | anterior | previously | earlier | in trecut | раньше | в прошлом | историческая справка |
        registry events | register events | istoricul datelor | fisa istorica |
        status history | history of names | history of addresses | history of founders | amendments
        """
    ),
}
