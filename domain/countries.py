"""Which country or state does somebody mean by a name, and what is usual there?"""

from functools import lru_cache
from typing import NamedTuple
from unicodedata import combining, normalize

# ISO 3166-1 alpha-2 with the short English name.
_COUNTRIES = """
AD Andorra; AE United Arab Emirates; AF Afghanistan; AG Antigua and Barbuda; AI Anguilla; AL Albania; AM Armenia;
AO Angola; AQ Antarctica; AR Argentina; AS American Samoa; AT Austria; AU Australia; AW Aruba; AX Åland Islands;
AZ Azerbaijan; BA Bosnia and Herzegovina; BB Barbados; BD Bangladesh; BE Belgium; BF Burkina Faso; BG Bulgaria;
BH Bahrain; BI Burundi; BJ Benin; BL Saint Barthélemy; BM Bermuda; BN Brunei; BO Bolivia; BQ Caribbean Netherlands;
BR Brazil; BS Bahamas; BT Bhutan; BV Bouvet Island; BW Botswana; BY Belarus; BZ Belize; CA Canada; CC Cocos Islands;
CD Democratic Republic of the Congo; CF Central African Republic; CG Congo; CH Switzerland; CI Côte d'Ivoire;
CK Cook Islands; CL Chile; CM Cameroon; CN China; CO Colombia; CR Costa Rica; CU Cuba; CV Cape Verde; CW Curaçao;
CX Christmas Island; CY Cyprus; CZ Czechia; DE Germany; DJ Djibouti; DK Denmark; DM Dominica; DO Dominican Republic;
DZ Algeria; EC Ecuador; EE Estonia; EG Egypt; EH Western Sahara; ER Eritrea; ES Spain; ET Ethiopia; FI Finland;
FJ Fiji; FK Falkland Islands; FM Micronesia; FO Faroe Islands; FR France; GA Gabon; GB United Kingdom; GD Grenada;
GE Georgia; GF French Guiana; GG Guernsey; GH Ghana; GI Gibraltar; GL Greenland; GM Gambia; GN Guinea; GP Guadeloupe;
GQ Equatorial Guinea; GR Greece; GS South Georgia; GT Guatemala; GU Guam; GW Guinea-Bissau; GY Guyana; HK Hong Kong;
HM Heard Island; HN Honduras; HR Croatia; HT Haiti; HU Hungary; ID Indonesia; IE Ireland; IL Israel; IM Isle of Man;
IN India; IO British Indian Ocean Territory; IQ Iraq; IR Iran; IS Iceland; IT Italy; JE Jersey; JM Jamaica; JO Jordan;
JP Japan; KE Kenya; KG Kyrgyzstan; KH Cambodia; KI Kiribati; KM Comoros; KN Saint Kitts and Nevis; KP North Korea;
KR South Korea; KW Kuwait; KY Cayman Islands; KZ Kazakhstan; LA Laos; LB Lebanon; LC Saint Lucia; LI Liechtenstein;
LK Sri Lanka; LR Liberia; LS Lesotho; LT Lithuania; LU Luxembourg; LV Latvia; LY Libya; MA Morocco; MC Monaco;
MD Moldova; ME Montenegro; MF Saint Martin; MG Madagascar; MH Marshall Islands; MK North Macedonia; ML Mali;
MM Myanmar; MN Mongolia; MO Macau; MP Northern Mariana Islands; MQ Martinique; MR Mauritania; MS Montserrat; MT Malta;
MU Mauritius; MV Maldives; MW Malawi; MX Mexico; MY Malaysia; MZ Mozambique; NA Namibia; NC New Caledonia; NE Niger;
NF Norfolk Island; NG Nigeria; NI Nicaragua; NL Netherlands; NO Norway; NP Nepal; NR Nauru; NU Niue; NZ New Zealand;
OM Oman; PA Panama; PE Peru; PF French Polynesia; PG Papua New Guinea; PH Philippines; PK Pakistan; PL Poland;
PM Saint Pierre and Miquelon; PN Pitcairn; PR Puerto Rico; PS Palestine; PT Portugal; PW Palau; PY Paraguay; QA Qatar;
RE Réunion; RO Romania; RS Serbia; RU Russia; RW Rwanda; SA Saudi Arabia; SB Solomon Islands; SC Seychelles; SD Sudan;
SE Sweden; SG Singapore; SH Saint Helena; SI Slovenia; SJ Svalbard; SK Slovakia; SL Sierra Leone; SM San Marino;
SN Senegal; SO Somalia; SR Suriname; SS South Sudan; ST São Tomé and Príncipe; SV El Salvador; SX Sint Maarten;
SY Syria; SZ Eswatini; TC Turks and Caicos Islands; TD Chad; TF French Southern Territories; TG Togo; TH Thailand;
TJ Tajikistan; TK Tokelau; TL Timor-Leste; TM Turkmenistan; TN Tunisia; TO Tonga; TR Turkey; TT Trinidad and Tobago;
TV Tuvalu; TW Taiwan; TZ Tanzania; UA Ukraine; UG Uganda; UM United States Minor Outlying Islands; US United States;
UY Uruguay; UZ Uzbekistan; VA Vatican City; VC Saint Vincent; VE Venezuela; VG British Virgin Islands;
VI US Virgin Islands; VN Vietnam; VU Vanuatu; WF Wallis and Futuna; WS Samoa; YE Yemen; YT Mayotte; ZA South Africa;
ZM Zambia; ZW Zimbabwe
"""

# Other names that files of shops are known to use.
_ALIASES = """
GB Great Britain; GB UK; GB Britain; GB England; GB Scotland; GB Wales; GB Northern Ireland; IE Eire;
IE Republic of Ireland; US USA; US United States of America; US America; ZA RSA; AE UAE; NL Holland;
NL The Netherlands; KR Korea; KR Republic of Korea; CZ Czech Republic; RU Russian Federation; VN Viet Nam;
DE Deutschland; AT Österreich; CH Schweiz; CH Suisse; ES España; IT Italia; BE Belgique; BE België; NL Nederland;
SE Sverige; DK Danmark; NO Norge; FI Suomi; PL Polska; BR Brasil; MX México; TR Türkiye; HK Hong Kong SAR;
TW Taiwan, Province of China; MO Macao; MK Macedonia; CI Ivory Coast; CV Cabo Verde; SZ Swaziland; MM Burma;
TL East Timor; VA Holy See; PS Palestinian Territory
"""

_STATES = """
AL Alabama; AK Alaska; AZ Arizona; AR Arkansas; CA California; CO Colorado; CT Connecticut; DE Delaware;
DC District of Columbia; FL Florida; GA Georgia; HI Hawaii; ID Idaho; IL Illinois; IN Indiana; IA Iowa; KS Kansas;
KY Kentucky; LA Louisiana; ME Maine; MD Maryland; MA Massachusetts; MI Michigan; MN Minnesota; MS Mississippi;
MO Missouri; MT Montana; NE Nebraska; NV Nevada; NH New Hampshire; NJ New Jersey; NM New Mexico; NY New York;
NC North Carolina; ND North Dakota; OH Ohio; OK Oklahoma; OR Oregon; PA Pennsylvania; PR Puerto Rico; RI Rhode Island;
SC South Carolina; SD South Dakota; TN Tennessee; TX Texas; UT Utah; VT Vermont; VA Virginia; WA Washington;
WV West Virginia; WI Wisconsin; WY Wyoming
"""

# Country, currency, and the time zone most people there live in.
_HOMES = """
US USD America/New_York; CA CAD America/Toronto; GB GBP Europe/London; IE EUR Europe/Dublin; DE EUR Europe/Berlin;
AT EUR Europe/Vienna; CH CHF Europe/Zurich; FR EUR Europe/Paris; BE EUR Europe/Brussels; NL EUR Europe/Amsterdam;
LU EUR Europe/Luxembourg; ES EUR Europe/Madrid; PT EUR Europe/Lisbon; IT EUR Europe/Rome; GR EUR Europe/Athens;
FI EUR Europe/Helsinki; SE SEK Europe/Stockholm; DK DKK Europe/Copenhagen; NO NOK Europe/Oslo; PL PLN Europe/Warsaw;
CZ CZK Europe/Prague; HU HUF Europe/Budapest; RO RON Europe/Bucharest; AU AUD Australia/Sydney;
NZ NZD Pacific/Auckland; JP JPY Asia/Tokyo; IN INR Asia/Kolkata; SG SGD Asia/Singapore; HK HKD Asia/Hong_Kong;
AE AED Asia/Dubai; ZA ZAR Africa/Johannesburg; BR BRL America/Sao_Paulo; MX MXN America/Mexico_City;
IL ILS Asia/Jerusalem; TR TRY Europe/Istanbul
"""


class Home(NamedTuple):
    """What is usual in a country: the ISO 4217 code of its money, an IANA time zone."""

    currency: str
    time_zone: str


@lru_cache(maxsize=10_000)
def code(name: str) -> str | None:
    """The ISO 3166-1 alpha-2 code a name or code stands for; None for one that is no country."""
    written = name.strip()
    if written.upper() in _BY_CODE:
        return written.upper()
    return _BY_NAME.get(_key(written))


def state(name: str) -> str:
    """The English name of a US state given by its code; anything else stays as it is."""
    return STATE_NAMES.get(name.strip().upper(), name.strip())


def home(country: str | None) -> Home | None:
    """What is usual in the country of that code, where it is known."""
    return _BY_HOME.get(country or "")


def _key(name: str) -> str:
    plain = "".join(sign for sign in normalize("NFKD", name.casefold()) if not combining(sign))
    return "".join(sign for sign in plain if sign.isalnum())


def _pairs(table: str) -> list[tuple[str, str]]:
    lines = (line.strip() for line in table.replace("\n", " ").split(";"))
    return [(line[:2], line[3:].strip()) for line in lines]


_BY_CODE = dict(_pairs(_COUNTRIES))
_BY_NAME = {_key(name): short for short, name in _pairs(_COUNTRIES) + _pairs(_ALIASES)}
STATE_NAMES = dict(_pairs(_STATES))
"""US states: the English name by the postal code."""
_BY_HOME = {short: Home(*usual.split()) for short, usual in _pairs(_HOMES)}
