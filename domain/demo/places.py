"""Where do the demo shop's customers live, and which phone numbers can they have that ring nowhere?"""

from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate
from random import Random


@dataclass(frozen=True)
class Place:
    """A city. ``postal`` is a postal code in which ``#`` stands for a digit and ``@`` for a letter.

    ``dialling`` are beginnings of phone numbers reserved for fiction, each with the number of digits that follow.
    """

    country: str
    region: str
    city: str
    postal: str
    zone: str
    language: str
    dialling: tuple[tuple[str, int], ...]


# North America: 555-0100 to 555-0199 of every area code is kept for fiction (ATIS-0300115).
# weight | region | city | postal | zone | area codes
_AMERICA = """
6.0|Texas|Austin|787##|America/Chicago|512 737
5.5|Texas|Houston|770##|America/Chicago|713 281 832 346
4.5|Texas|Dallas|752##|America/Chicago|214 469 972 945
3.0|Texas|San Antonio|782##|America/Chicago|210 726
1.5|Texas|Fort Worth|761##|America/Chicago|817 682
0.7|Texas|El Paso|799##|America/Denver|915
7.0|California|Los Angeles|900##|America/Los_Angeles|213 310 323 424 818
4.5|California|San Francisco|941##|America/Los_Angeles|415 628
3.5|California|San Diego|921##|America/Los_Angeles|619 858
2.0|California|Sacramento|958##|America/Los_Angeles|916 279
2.0|California|San Jose|951##|America/Los_Angeles|408 669
1.5|California|Oakland|946##|America/Los_Angeles|510 341
6.0|New York|New York|100##|America/New_York|212 646 332 917
2.5|New York|Brooklyn|112##|America/New_York|718 347 929
1.0|New York|Buffalo|142##|America/New_York|716
2.5|Florida|Miami|331##|America/New_York|305 786
1.5|Florida|Tampa|336##|America/New_York|813 656
1.2|Florida|Orlando|328##|America/New_York|407 689
3.5|Illinois|Chicago|606##|America/Chicago|312 773 872
3.2|Washington|Seattle|981##|America/Los_Angeles|206 564
0.8|Washington|Spokane|992##|America/Los_Angeles|509
2.4|Oregon|Portland|972##|America/Los_Angeles|503 971
2.4|Colorado|Denver|802##|America/Denver|303 720
0.8|Colorado|Boulder|803##|America/Denver|983
2.2|Massachusetts|Boston|021##|America/New_York|617 857
1.8|Georgia|Atlanta|303##|America/New_York|404 470 678
1.8|Pennsylvania|Philadelphia|191##|America/New_York|215 267
1.0|Pennsylvania|Pittsburgh|152##|America/New_York|412 878
1.5|North Carolina|Charlotte|282##|America/New_York|704 980
1.0|North Carolina|Raleigh|276##|America/New_York|919 984
1.4|Ohio|Columbus|432##|America/New_York|614 380
1.0|Ohio|Cleveland|441##|America/New_York|216
1.5|Minnesota|Minneapolis|554##|America/Chicago|612 763
1.4|Michigan|Detroit|482##|America/Detroit|313 248
1.4|Arizona|Phoenix|850##|America/Phoenix|602 480 623
1.2|Tennessee|Nashville|372##|America/Chicago|615 629
1.2|Virginia|Richmond|232##|America/New_York|804 686
1.0|Utah|Salt Lake City|841##|America/Denver|801 385
1.0|Wisconsin|Milwaukee|532##|America/Chicago|414
0.9|Missouri|Kansas City|641##|America/Chicago|816 975
0.8|Louisiana|New Orleans|701##|America/Chicago|504
0.4|Hawaii|Honolulu|968##|Pacific/Honolulu|808
0.3|Alaska|Anchorage|995##|America/Anchorage|907
"""

# Canada shares that plan. Britain: 07700 900xxx (Ofcom). Germany: 030 23125xxx and the like (Bundesnetzagentur).
# France: 06 39 98 xx xx (ARCEP). Ireland: 020 91x xxxx (ComReg). For the others no range is known, so they have none.
# weight | country | region | city | postal | zone | language | beginnings and digits that follow
_ELSEWHERE = """
1.2|CA|Ontario|Toronto|M#@ #@#|America/Toronto|en|+141655501:2 +164755501:2
0.8|CA|British Columbia|Vancouver|V#@ #@#|America/Vancouver|en|+160455501:2
0.6|CA|Quebec|Montreal|H#@ #@#|America/Toronto|fr|+151455501:2
4.0|GB|England|London|SW# #@@|Europe/London|en|+447700900:3
1.6|GB|England|Manchester|M# #@@|Europe/London|en|+447700900:3
1.0|GB|Scotland|Edinburgh|EH# #@@|Europe/London|en|+447700900:3
0.5|GB|Wales|Cardiff|CF# #@@|Europe/London|en|+447700900:3
2.0|DE|Berlin|Berlin|10###|Europe/Berlin|de|+493023125:3
1.4|DE|Bavaria|Munich|80###|Europe/Berlin|de|+498999998:3
1.1|DE|Hamburg|Hamburg|20###|Europe/Berlin|de|+494066969:3
0.9|DE|Hesse|Frankfurt|60###|Europe/Berlin|de|+496990009:3
0.8|DE|North Rhine-Westphalia|Cologne|50###|Europe/Berlin|de|+492214710:3
2.0|FR|Île-de-France|Paris|750##|Europe/Paris|fr|+33639980:3
0.8|FR|Auvergne-Rhône-Alpes|Lyon|690##|Europe/Paris|fr|+33639981:3
0.6|FR|Provence-Alpes-Côte d'Azur|Marseille|130##|Europe/Paris|fr|+33639982:3
1.0|IE|Leinster|Dublin|D0# @#@#|Europe/Dublin|en|+35320910:4
1.1|NL|North Holland|Amsterdam|10## @@|Europe/Amsterdam|nl|
0.6|NL|South Holland|Rotterdam|30## @@|Europe/Amsterdam|nl|
0.8|ES|Community of Madrid|Madrid|280##|Europe/Madrid|es|
0.7|ES|Catalonia|Barcelona|080##|Europe/Madrid|es|
0.9|IT|Lombardy|Milan|201##|Europe/Rome|it|
0.6|IT|Lazio|Rome|001##|Europe/Rome|it|
0.6|AT|Vienna|Vienna|10#0|Europe/Vienna|de|
0.6|BE|Brussels|Brussels|10##|Europe/Brussels|fr|
0.7|SE|Stockholm County|Stockholm|11# ##|Europe/Stockholm|sv|
0.4|DK|Capital Region|Copenhagen|21##|Europe/Copenhagen|da|
"""


def _places() -> list[tuple[float, Place]]:
    found = []
    for line in _AMERICA.strip().splitlines():
        weight, region, city, postal, zone, codes = line.split("|")
        dialling = tuple((f"+1{code}55501", 2) for code in codes.split())
        found.append((float(weight), Place("US", region, city, postal, zone, "en", dialling)))
    for line in _ELSEWHERE.strip().splitlines():
        weight, country, region, city, postal, zone, language, numbers = line.split("|")
        ranges = (number.split(":") for number in numbers.split())
        dialling = tuple((start, int(digits)) for start, digits in ranges)
        found.append(
            (
                float(weight),
                Place(country, region, city, postal, zone, language, dialling),
            )
        )
    return found


_WEIGHTED = _places()
PLACES = tuple(place for _, place in _WEIGHTED)
_SUMS = tuple(accumulate(weight for weight, _ in _WEIGHTED))


def draw(random: Random) -> Place:
    """A place, the big ones more often."""
    return PLACES[bisect(_SUMS, random.random() * _SUMS[-1])]


def postal_code(place: Place, random: Random) -> str:
    """A postal code that the place could have."""
    return "".join(
        str(int(random.random() * 10))
        if sign == "#"
        else "ABCEHJKLMNPRSTVWXY"[int(random.random() * 18)]
        if sign == "@"
        else sign
        for sign in place.postal
    )
