"""Word lists for the made-up companies. Both spellings of the Romanian letters ș and ț occur, as in the source."""

NAME_STEMS = (
    "NORDAVIS",
    "PLOPENA",
    "CERVENTO",
    "TILIMAR",
    "ŞOIMENI",
    "ȘURIANA",
    "VALTRIX",
    "BUCOVEL",
    "OZERNIC",
    "RĂZĂNICA",
    "ŢIBRANA",
    "ȚINTAVEL",
    "ÎNALTERA",
    "FRUMUȘEL",
    "DROMICOM",
    "KELSANA",
)
NAME_ENDINGS = ("GRUP", "AGRO", "PRIM", "-TOTAL", "CONSTRUCT", "COM & CO", "LUX", '"PLUS"', "SERVICE")

GIVEN_NAMES = ("ION", "MARIA", "ȘTEFAN", "ŞERBAN", "ELENA", "VASILE", "TATIANA", "ANDREI", "OLGA", "MIHAI")
SURNAMES = (
    "FONDATORU",
    "EXEMPLESCU",
    "MODELEANU",
    "PROBARU",
    "ÎNCERCĂTORU",
    "ŢĂRANU-PROBĂ",
    "ȚURCAN-MODEL",
    "SCHIȚARU",
    "MACHETARU",
    "TESTOVICI",
    "FICTIVU",
    "CIORNARU",
)
FOREIGN_COMPANIES = ("NOWHERE HOLDINGS LTD", "BEISPIEL BETEILIGUNGS GMBH", "ООО «ВЫМЫСЕЛ»")
ROLES = ("ADMINISTRATOR", "ADMINISTRATOR", "DIRECTOR")

STREETS = ("Pilda", "str. Ştiinţei Închipuite", "Ștefan cel Inventat", "bd. Machetei", "Schițelor", "Ciornei")
# City, district, the place as the register writes it, CUATM id, CUATM statistic id, CUATM name, CUATM type.
PLACES = (
    ("Chișinău", "C", "CHIȘINĂU CENTRU, mun. Chișinău", "130", "130000", "SEC.CENTRU", "MUNICIPALITY_SECTOR"),
    ("Chişinău", "R", "RÎŞCANI, mun. Chişinău", "150", "150000", "SEC.RISCANI", "MUNICIPALITY_SECTOR"),
    ("Bălți", "B", "mun. Bălți", "300", "300000", "MUN.BALTI", "MUNICIPALITY"),
    ("Soroca", "S", "SOROCA, r-nul Soroca", "780", "780100", "OR.SOROCA", "CITY"),
    ("Ungheni", "U", "UNGHENI, r-nul Ungheni", "920", "920100", "OR.UNGHENI", "CITY"),
)

LICENSED_ACTIVITIES = (
    (21, "Activitatea farmaceutică"),
    (23, "Acordarea asistenţei medicale de către instituţiile medico-sanitare private"),
    (31, "Comercializarea cu amănuntul a producţiei alcoolice şi/sau a berii"),
    (44, "Transportul auto internaţional de mărfuri (contra plată)"),
)
UNLICENSED_ACTIVITIES = (
    (15810, "Fabricarea pîinii; fabricarea produselor proaspete de patiserie"),
    (21, "Fabricarea produselor farmaceutice de bază şi a preparatelor farmaceutice"),
    (45210, "Construcţii de clădiri şi (sau) construcţii inginereşti"),
    (51100, "Comerţul cu ridicata pe bază de tarife sau contracte"),
    (62010, "Activități de realizare a soft-ului la comandă (software orientat client)"),
    (1110, "Cultivarea cerealelor (exclusiv orez), plantelor leguminoase și a plantelor oleaginoase"),
)
