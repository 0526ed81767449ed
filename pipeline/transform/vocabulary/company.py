"""Labels of a company's identity, address and parties, in Romanian, Russian and English.

Labels are compared after `fold`. A text that is in no table is not a label.
"""

from pipeline.transform.source_text import words
from pipeline.transform.vocabulary.field import Field

LABELS: dict[Field, list[str]] = {
    Field.IDNO: words(
        """
        idno | idnp | cod | cod fiscal | codul fiscal | codul idno | cod idno | numar de identificare |
        numarul de identificare | numarul de identificare de stat | numar de identificare de stat | nr. idno
        | cod unic de identificare | cod de identificare | codul de identificare | nr. de identificare |
        cod de inregistrare | numar de inregistrare | numarul de inregistrare | cod de identificare fiscala
        | codul unic | cod unic | cod unic de inregistrare | numar idno | numarul idno | cod identificare |
        nr. de inregistrare | numar fiscal | numarul fiscal | codul de inregistrare | c.f. | cod de stat |
        идно | фискальный код | код фискальный | налоговый код | идентификационный номер | код |
        государственный идентификационный номер | идентификационный код | номер идентификации | код idno |
        регистрационный номер | номер регистрации | код идно | фиск. код | ф/к | ф.к. | фискальный номер |
        регистрационный код | номер idno | единый код | инн | налоговый номер | fiscal code | tax code |
        tax id | tax number | identification number | code | number | id | state identification number |
        registration number | tax identification number | idno number | idno code |
        unique identification code | id number | registration code | fiscal number | id code |
        identification code | reg. number | registration no. | registration no | unique code | reg. no.
        """
    ),
    Field.NAME: words(
        """
        denumire | denumirea | denumirea completa | denumire completa | nume | numele | denumirea juridica |
        наименование | полное наименование | название | полное название | имя | name | full name |
        legal name | official name
        """
    ),
    Field.LEGAL_FORM: words(
        """
        forma juridica | forma organizatorico-juridica | forma organizatorico juridica | forma legala |
        forma org./jurid. | forma organizatorica | forma de organizare | forma juridica de organizare |
        forma org. jurid. | forma org.-jur. | forma org | forma org. | forma organizarii juridice | forma |
        forma organizational-juridica | forma jur. | forma juridico-organizatorica | tip juridic |
        forma de organizare juridica | forma organizatorico-juridica de organizare |
        forma de proprietate juridica | forma de organizare a afacerii |
        forma juridica de organizare a afacerii | tip | tipul | forma organizational juridica | tip entitate
        | tipul entitatii | tip de organizare | tip organizare | tip companie | tip firma |
        tip intreprindere | tipul juridic | tip de companie | tip societate | организационно-правовая форма
        | организационно правовая форма | правовая форма | опф | юридическая форма | тип | форма |
        форма организации | организационная форма | правовой статус | орг.-правовая форма | орг. форма |
        организационно-юридическая форма | о.п.ф. | вид организации | орг.-прав. форма |
        правовая форма организации | форма собственности и организации | legal form | legal type | type |
        entity type | legal entity type | form | business form | organizational form | organisational form |
        organizational-legal form | organisational-legal form | organisational and legal form |
        organizational and legal form | legal structure | legal entity form | form of organization |
        form of organisation | corporate form | type of business | kind | organization type |
        organisation type | form of incorporation | type of entity | type of legal entity |
        legal form of organization | legal form of organisation | legal organisational form |
        organization form | organisation form | legal status form | legal organizational form
        """
    ),
    Field.STATUS: words(
        """
        statut | statutul | stare | starea | status | statut juridic | stare juridica | situatie | situatia
        | starea juridica | statutul juridic | statut actual | statutul actual | stare actuala |
        starea actuala | statusul | stare curenta | starea curenta | statut curent | statutul curent |
        starea de activitate | statutul activitatii | starea activitatii | status curent | status actual |
        situatia juridica | statut de activitate | status juridic | статус | состояние | текущий статус |
        текущее состояние | статус деятельности | юридический статус | state | current status |
        activity status | legal status | registration status | operating status | operational status |
        current state | activity
        """
    ),
    Field.REGISTERED_ON: words(
        """
        data inregistrarii | data inregistrare | inregistrata la | inregistrat la | inregistrata |
        data infiintarii | data fondarii | data crearii | inregistrata pe | data de inregistrare |
        inregistrat | inregistrare | fondata la | fondata | infiintata la | infiintata | inregistrat pe |
        inregistrata din | data inreg. | data inregistrarii de stat | inregistrat din | data constituirii |
        data infiintare | data inreg | data inregistrarii initiale | fondat | infiintat | data fondare |
        data infiintarii si inregistrarii | inregistrarea | inregistrarea de stat | constituita la |
        data inregistrarii in registru | inregistrata in | data inregistrarii in rsud | inregistrata la data
        | inregistrata la data de | inregistrat la data | data deschiderii | creata la | fondat la |
        infiintat la | data inregistrarii persoanei juridice | data aparitiei | inregistrata de la |
        activeaza din | дата регистрации | зарегистрирована | зарегистрировано | зарегистрирован |
        дата основания | дата создания | регистрация | основана | зарегистрирована с |
        дата государственной регистрации | дата регистрации в реестре | дата учреждения | дата открытия |
        государственная регистрация | зарегистрирована в | основано | основан | создана | дата образования |
        дата рег. | дата гос. регистрации | зарегистрировано с | зарегистрирован с | дата госрегистрации |
        дата внесения в реестр | registration date | date of registration | registered | registered on |
        registered at | date registered | incorporated | incorporation date | date of incorporation |
        founded | established | founded on | registered since | incorporated on | established on |
        created on | state registration date | date of state registration | founding date | foundation date
        | created | date of establishment | date of foundation | creation date | date founded | reg. date |
        date established | date incorporated | date of creation | registration | establishment date
        """
    ),
    Field.ADDRESS: words(
        """
        adresa | adresa juridica | adresa sediului | adresa legala | sediul | sediu | sediul juridic |
        adresa inregistrata | adresa de inregistrare | sediul social | localizare | sediu juridic |
        sediu social | adresa sediului juridic | adresa completa | adresa sediului social | adresa oficiala
        | adresa de sediu | adresa sediu | sediul central | sediu central | sediul inregistrat | adr. |
        adresa inregistrarii | adresa actuala | locul sediului | locatie | locatia | adresa sediului central
        | adresa fizica | adresa de domiciliu | sediu inregistrat | adresa inregistrata oficial |
        sediul/adresa | адрес | юридический адрес | местонахождение | адрес регистрации | место нахождения |
        юр. адрес | полный адрес | адрес местонахождения | официальный адрес | адрес офиса |
        место регистрации | юрадрес | зарегистрированный адрес | адрес места нахождения | адрес юридический
        | адрес (юр.) | местоположение | расположение | адрес головного офиса | фактический адрес |
        юридический адрес (полный) | address | legal address | registered address | registered office |
        registered office address | headquarters | seat | business address | office address | full address |
        location | office | registered seat | head office | official address | registration address |
        headquarters address | address of registration | head office address | street address | main address
        | principal address | principal office | registered location | postal and legal address |
        place of business | legal seat
        """
    ),
    Field.FOUNDERS: words(
        """
        fondatori | fondator | fondatorii | lista fondatorilor | asociati | asociatii | fondatorul |
        actionari | asociati si actionari | proprietari | fondatorii si cotele | actionarii | fondat de |
        fondatori si cote | fondatori si asociati | cofondatori | structura fondatorilor | proprietarii |
        fondatori persoane fizice | fondatori persoane juridice | fondatori companii | asociat | asociatul |
        fondatori / asociati | fondatori/asociati | cote ale fondatorilor | structura actionariatului |
        lista asociatilor | fondatori si cote-parti | actionariat | actionariatul | membrii fondatori |
        fondator unic | asociat unic | proprietar | actionar | fondatorii si cotele-parti | fondata de |
        cotele fondatorilor | structura capitalului | fondatori si cota | persoane fondatoare |
        lista actionarilor | fondatori (cota) | fondatori (cote) | membri fondatori | fondatori si actionari
        | fondatori (asociati) | учредители | учредитель | список учредителей | основатели | участники |
        акционеры | основатель | учредители и доли | владельцы | собственники | участник | акционер |
        владелец | соучредители | состав учредителей | учредители и их доли | учредители (участники) |
        список участников | участники и доли | доли учредителей | учреждена | кем учреждена |
        учредители/участники | собственник | список акционеров | единственный учредитель |
        структура собственности | список основателей | основатели и доли | учредители и участники |
        список владельцев | доли участников | акционеры и доли | основана кем | founders | founder |
        list of founders | shareholders | owners | members | founding members | founders and shares |
        shareholders and founders | founded by | ownership | owner | shareholder | founders & shares |
        list of shareholders | founders and shareholders | ownership structure | owned by | co-founders |
        sole founder | associates | founders/shareholders | founders and owners | founders and their shares
        | shareholding | shareholding structure | equity holders | list of owners | established by |
        founding shareholders | shareholder structure | founders list | founder(s)
        """
    ),
    Field.ADMINISTRATORS: words(
        """
        administratori | administrator | administratorii | administratorul | lista conducatorilor |
        conducatori | conducator | conducerea | conducere | director | directori | manager | managerul |
        lista administratorilor | administrare | administratia | conducatorul | manageri | administratie |
        directorul | directorii | managerii | conducatorii | persoane cu functii de conducere | condus de |
        organele de conducere | organ de conducere | echipa de conducere | administrata de | managementul |
        administrator(i) | administratori si conducatori | persoane de conducere | organul executiv |
        management | administratori / conducatori | administratori/conducatori | reprezentanti legali |
        reprezentant legal | persoane responsabile | director general | conducatorul executiv |
        lista directorilor | condusa de | администраторы | администратор | руководители | руководитель |
        директор | директора | директоры | список администраторов | руководство | управляющий |
        администрация | управление | управляющие | список руководителей | органы управления |
        администраторы и руководители | менеджмент | менеджеры | исполнительный орган | руководящий состав |
        законный представитель | список директоров | управляет | генеральный директор |
        законные представители | состав руководства | администратор (руководитель) | administrators |
        directors | managers | list of administrators | administrator(s) | list of directors | executives |
        administration | managed by | management team | administered by | legal representative |
        legal representatives | officers | executive body | list of managers | directors and officers |
        administrators and managers | board of directors | administrators list | executive management |
        leadership | managing director | managing directors | general director | lichidator | lichidatorul |
        lichidatori | lichidator provizoriu | administrator provizoriu | administrator fiduciar |
        administrator din oficiu | administrator al procesului de insolvabilitate | administrator al
        procedurii planului | administrator interimar | administrator al insolvabilitatii | administrator
        autorizat | administrator special | comisia de lichidare | director executiv | presedinte |
        liquidator | liquidators | insolvency administrator | interim administrator | provisional
        administrator | executive director | ликвидатор | ликвидаторы | временный администратор |
        исполнительный директор | председатель | конкурсный управляющий | временный управляющий |
        ликвидационная комиссия
        """
    ),
    Field.PEOPLE: words(
        """
        persoane | persoanele | persoane asociate | persoane legate | fondatori si administratori |
        fondatori si conducatori | administratori si fondatori | fondatori si administrator | asociati si
        administratori | fondatori si conducere | administratori si asociati | conducere si fondatori |
        conducerea si fondatorii | fondatori, administratori | persoane implicate | persoane cheie | echipa
        | oameni | структура управления и собственности | лица | люди | persons | people | key people |
        related persons | associated persons | persons of the company | founders and administrators |
        founders & administrators | administrators and founders | founders and directors | directors and
        founders | owners and directors | officers and owners | учредители и администраторы | учредители и
        руководители | команда | руководители и учредители | администраторы и учредители | связанные лица |
        участники и руководители | team | founders / administrators | fondatori / administratori |
        fondatori/administratori | persoane si roluri | roluri | persoanele companiei | rolurile persoanelor
        | roles | роли | owners and managers | founders and managers | shareholders and directors |
        directors and shareholders
        """
    ),
}
