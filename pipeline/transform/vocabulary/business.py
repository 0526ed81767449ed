"""Labels of CUATM units, activities and key figures, in Romanian, Russian and English.

Labels are compared after `fold`. A text that is in no table is not a label.
"""

from pipeline.transform.source_text import words
from pipeline.transform.vocabulary.field import Field

LABELS: dict[Field, list[str]] = {
    Field.CUATM: words(
        """
        cuatm | cod cuatm | codul cuatm | куатм | код cuatm | код куатм | cuatm code | codul localitatii
        (cuatm) | cuatm (localitatea) | localitatea (cuatm) | localitate (cuatm) | unitatea
        administrativ-teritoriala (cuatm) | код по cuatm | код по куатм | населенный пункт (cuatm) |
        классификатор cuatm | clasificatorul cuatm | locality (cuatm) | cuatm locality | codul cuatm al
        localitatii | cuatm cod
        """
    ),
    Field.LICENSED: words(
        """
        activitati licentiate | genuri de activitate licentiate | licentiate | activitati cu licenta |
        лицензируемые виды деятельности | лицензированная деятельность | лицензируемая деятельность |
        licensed activities | licensed lines of business | licensed activity | activitatea licentiata |
        activitate licentiata | genuri licentiate de activitate | genurile de activitate licentiate | genul
        de activitate licentiat | activitati supuse licentierii | activitati licentiate ale companiei |
        genuri de activitate cu licenta | genuri de activitate supuse licentierii | activitatile licentiate
        | lista activitatilor licentiate | лицензированные виды деятельности | лицензируемый вид
        деятельности | виды лицензируемой деятельности | деятельность с лицензией | виды деятельности с
        лицензией | виды деятельности, подлежащие лицензированию | виды лицензированной деятельности |
        лицензионные виды деятельности | деятельность по лицензии | licensed types of activity | licensed
        business activities | activities with licence | activities with license | activities requiring a
        licence | activities requiring a license | licenced activities | licensed kinds of activity |
        licensed activity types | activities subject to licensing
        """
    ),
    Field.UNLICENSED: words(
        """
        activitati nelicentiate | genuri de activitate nelicentiate | nelicentiate | activitati fara licenta
        | нелицензируемые виды деятельности | нелицензированная деятельность | нелицензируемая деятельность
        | unlicensed activities | unlicensed lines of business | unlicensed activity | activitatea
        nelicentiata | activitate nelicentiata | genuri nelicentiate de activitate | genurile de activitate
        nelicentiate | genul de activitate nelicentiat | activitati nesupuse licentierii | genuri de
        activitate nesupuse licentierii | genuri de activitate fara licenta | activitatile nelicentiate |
        activitati ne-licentiate | lista activitatilor nelicentiate | activitati care nu necesita licenta |
        нелицензированные виды деятельности | нелицензируемый вид деятельности | виды нелицензируемой
        деятельности | деятельность без лицензии | виды деятельности без лицензии | виды деятельности, не
        подлежащие лицензированию | не лицензируемые виды деятельности | не лицензируемая деятельность |
        виды нелицензированной деятельности | unlicensed types of activity | unlicensed business activities
        | activities without licence | activities without license | non-licensed activities | activities not
        requiring a licence | activities not requiring a license | unlicenced activities | unlicensed kinds
        of activity | unlicensed activity types | activities not subject to licensing | non-licensed
        activity | nonlicensed activities
        """
    ),
    Field.REVENUE: words(
        """
        выручка | revenue | venituri din vinzari | venituri din vanzari | venituri din vinzari total |
        venituri din vanzari total | venituri din vinzari, total | venituri din vanzari, total | veniturile
        din vinzari | veniturile din vanzari | venituri din vanzari - total | venitul din vanzari | venitul
        din vinzari | venit din vanzari | venit din vinzari | total venituri din vanzari | total venituri
        din vinzari | venituri din vinzari - total | доход от продаж | доходы от продаж | выручка от продаж
        | выручка от реализации | доходы от продаж, всего | доход от реализации | доходы от реализации |
        доход от продаж, всего | выручка от продаж, всего | доходы от продаж всего | доход от продаж всего |
        объем продаж | sales revenue | revenue from sales | income from sales | sales income | revenues from
        sales | sales revenue, total | total sales revenue | revenue from sales, total | total revenue from
        sales | revenues from sales, total
        """
    ),
    Field.COST_OF_SALES: words(
        """
        costul vinzarilor | costul vanzarilor | costul vinzarilor total | costul vanzarilor total | costul
        vinzarilor, total | costul vanzarilor, total | cost de vanzare | costul vanzarilor - total | costul
        vinzarilor - total | costuri de vanzare | costurile vanzarilor | costul de vanzare | себестоимость
        продаж | себестоимость реализации | себестоимость | себестоимость продаж, всего | себестоимость
        продаж всего | себестоимость реализованной продукции | стоимость продаж | cost of sales | cost of
        goods sold | sales cost | cost of sales, total | total cost of sales | cost of revenue | cogs
        """
    ),
    Field.GROSS_PROFIT: words(
        """
        profit brut | profit brut (pierdere bruta) | profitul brut | profit brut / pierdere bruta | profit
        (pierdere) brut | profit brut (pierderea bruta) | rezultatul brut | profitul brut (pierderea bruta)
        | profit brut/pierdere bruta | rezultat brut | валовая прибыль | валовая прибыль (убыток) | валовая
        прибыль (валовой убыток) | валовая прибыль/убыток | валовая прибыль / убыток | валовая прибыль /
        валовой убыток | валовый доход | валовой результат | gross profit | gross profit (loss) | gross
        profit / loss | gross profit/loss | gross profit (gross loss) | gross result | gross profit or loss
        """
    ),
    Field.NET_PROFIT: words(
        """
        чистая прибыль | net profit | profit net (pierdere neta) | profit net | profitul net | profit net /
        pierdere neta | profit net/pierdere neta | profitul net (pierderea neta) | profit net (pierdere
        neta) al perioadei de gestiune | profit net (pierdere neta) a perioadei de gestiune | profit net
        (pierderea neta) | profit (pierdere) net | profit net (pierdere neta) al anului | rezultatul net |
        rezultat net | profit net (pierdere) | profit net al perioadei de gestiune | profitul net al
        perioadei de gestiune | profit/pierdere neta | profit / pierdere neta | чистая прибыль (убыток) |
        чистая прибыль (чистый убыток) | чистая прибыль / убыток | чистая прибыль/убыток | чистая прибыль /
        чистый убыток | чистая прибыль (убыток) отчетного периода | чистая прибыль отчетного периода |
        чистый результат | чистая прибыль (чистый убыток) отчетного периода | net profit (loss) | net profit
        / loss | net profit/loss | net profit (net loss) | net income | net result | net profit (loss) for
        the period | net profit (loss) of the reporting period | net income (loss) | net profit or loss |
        profit (loss) for the period | net profit for the period | net profit (loss) for the year
        """
    ),
    Field.TOTAL_ASSETS: words(
        """
        total assets | total active | active, total | total activ | total activuri | activele totale |
        active totale | totalul activelor | active - total | total active (bilant) | итого активы | всего
        активов | итого активов | всего активы | активы, всего | активы всего | общие активы | сумма активов
        | активы итого | активы, итого | общая сумма активов | assets, total | assets total | assets (total)
        | total of assets
        """
    ),
    Field.EQUITY: words(
        """
        total capital propriu | capital propriu | capital propriu, total | capitalul propriu | capitaluri
        proprii | total capitaluri proprii | capital propriu total | capital propriu - total | totalul
        capitalului propriu | собственный капитал | итого собственный капитал | всего собственный капитал |
        собственный капитал, всего | итого собственного капитала | собственный капитал всего | всего
        собственного капитала | собственный капитал, итого | total equity | equity | equity, total | own
        capital | total own capital | shareholders' equity | total shareholders' equity | owners' equity |
        total owners' equity | stockholders' equity
        """
    ),
    Field.CURRENT_LIABILITIES: words(
        """
        total datorii curente | datorii curente | datorii curente, total | datoriile curente | datorii
        curente total | datorii curente - total | datorii pe termen scurt | total datorii pe termen scurt |
        totalul datoriilor curente | datorii curente (total) | итого текущие обязательства | текущие
        обязательства | всего текущих обязательств | текущие обязательства, всего | краткосрочные
        обязательства | итого краткосрочные обязательства | итого текущих обязательств | всего текущие
        обязательства | текущие обязательства всего | total current liabilities | current liabilities |
        current liabilities, total | short-term liabilities | total short-term liabilities | current
        liabilities (total) | short term liabilities | current debts | total current debts
        """
    ),
    Field.CASH: words(
        """
        numerar si documente banesti | numerar | numerarul si documente banesti | numerarul si documentele
        banesti | mijloace banesti | numerar si echivalente de numerar | numerar si echivalente | numerar si
        conturi bancare | денежные средства | денежные средства и денежные документы | денежные средства и
        документы | денежные средства и их эквиваленты | денежные средства и эквиваленты | наличность и
        денежные документы | cash | cash and cash documents | cash and cash equivalents | cash and
        equivalents | cash and monetary documents | cash at bank and in hand | cash and bank documents
        """
    ),
}
