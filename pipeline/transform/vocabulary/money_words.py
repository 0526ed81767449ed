"""Words for currencies and for scales of amounts ("mii lei"), in Romanian, Russian and English, folded."""

from pipeline.transform.source_text import words

LEI = frozenset(words("mdl|leu|lei|leul|leului|leilor|лей|лея|леи|леев|леях|леям|молдлей"))
LEI_ADJECTIVES = frozenset(
    words(
        "moldovenesc|moldovenesti|moldovean|moldavian|moldovan|moldova|md|молдавский|молдавских|молдавские|"
        "молдавского|молд|рм|rm"
    )
)
"""Words that say whose lei are meant; without the word for lei they mean nothing here."""
OTHER_CURRENCIES = frozenset(
    words(
        "eur|euro|euros|usd|dolar|dolari|dolarilor|dollar|dollars|ron|romanesti|romanian|rub|rur|ruble|rubles|uah|"
        "hrivne|gbp|chf|try|pln|евро|доллар|доллара|доллары|долларов|долларах|долл|руб|рубль|рублей|рубли|рублях|"
        "гривен|гривна|гривны|румынских|сша|lire|pounds|$|€|₽|£|₴"
    )
)
SCALES: dict[str, int] = {
    **dict.fromkeys(words("zeci|десятки|десятках|tens"), 10),
    **dict.fromkeys(words("sute|сотни|сотнях|hundreds"), 100),
    **dict.fromkeys(
        words(
            "mii|mie|miilor|тыс|тысяч|тысяча|тысячи|тысячах|thousand|thousands|thous|thsd|thd|ths|tys|tis|k|к|"
            "000|1000|10³"
        ),
        10**3,
    ),
    **dict.fromkeys(
        words(
            "mil|mln|milion|milioane|milioanelor|млн|миллион|миллиона|миллионы|миллионов|миллионах|million|"
            "millions|mn|mio|000000|1000000"
        ),
        10**6,
    ),
    **dict.fromkeys(
        words(
            "mlrd|mld|miliard|miliarde|миллиард|миллиарда|миллиарды|миллиардов|миллиардах|млрд|billion|billions|bn|"
            "bln|000000000"
        ),
        10**9,
    ),
}
"""For each word of a scale, the number of lei that one unit stands for."""
WEAK_SCALES = frozenset(
    words(
        "zeci|sute|десятки|десятках|сотни|сотнях|tens|hundreds|k|к|mil|mn|mio|bn|mld|000|1000|000000|1000000|000000000|mie|tis|ths|thd"
    )
)
"""Words that are a scale only next to a currency."""
CONNECTORS = frozenset(words("de|of|in|din|в|x|х|×|*|the|al|a|by|per"))
"""Words inside a unit: "in thousands of MDL", "x1000 lei"."""
INTRODUCTIONS = frozenset(words("in|в|x|х|×"))
"""Words before a unit without a currency: "in mii"."""
