"""What does the demo shop sell, how long does it last, and when is it in season?"""

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Literal

from domain.demo.clock import Span, instant
from domain.demo.rows import NewProduct

Use = Literal["bean", "supply", "durable", "extra", "gift", "bulk"]
"""How it is bought: beans and supplies again and again, durables once, extras on the side, gifts before holidays, bulk
by cafes and offices."""

SITE = "https://kestrel.example.com/products/"
PRICE_RISE = 300
"""Days before the end of history when prices went up to what they are now."""


@dataclass(frozen=True)
class Article:
    """A product; ``cents`` is today's price, ``lasts`` the days one unit lasts in an average household."""

    id: int
    sku: str
    title: str
    category: str
    cents: int
    use: Use
    lasts: int
    weight: float
    months: frozenset[int]

    @property
    def cents_before(self) -> int:
        """The price before the last rise, about six per cent lower and ending like a price."""
        return round(self.cents * 0.94 / 50) * 50 or self.cents


# category | use | sku | title | price | lasts (days) | popularity | months in season (empty = all year)
_TABLE = """
Coffee Beans|bean|BN-HSE-250|House Blend 250 g|11.50|11|10|
Coffee Beans|bean|BN-HSE-1K|House Blend 1 kg|38.00|38|8|
Coffee Beans|bean|BN-ESP-250|Night Shift Espresso 250 g|12.00|10|9|
Coffee Beans|bean|BN-ESP-1K|Night Shift Espresso 1 kg|39.50|36|9|
Coffee Beans|bean|BN-ETH-250|Ethiopia Guji 250 g|15.50|12|7|
Coffee Beans|bean|BN-COL-250|Colombia Huila 250 g|14.00|12|7|
Coffee Beans|bean|BN-COL-1K|Colombia Huila 1 kg|46.00|38|4|
Coffee Beans|bean|BN-KEN-250|Kenya Nyeri 250 g|16.50|12|4|
Coffee Beans|bean|BN-GUA-250|Guatemala Antigua 250 g|14.50|12|5|
Coffee Beans|bean|BN-SUM-250|Sumatra Mandheling 250 g|14.00|12|3|
Coffee Beans|bean|BN-DEC-250|Swiss Water Decaf 250 g|13.50|14|6|
Coffee Beans|bean|BN-DEC-1K|Swiss Water Decaf 1 kg|44.00|45|2|
Coffee Beans|bean|BN-PNM-250|Panama Geisha 250 g|42.00|16|1|
Coffee Beans|extra|BN-ICE-250|Cold Brew Blend 250 g|13.00|0|7|5 6 7 8 9
Coffee Beans|extra|BN-HOL-250|Holiday Blend 250 g|15.00|0|9|11 12 1
Coffee Beans|bulk|BN-HSE-5K|House Blend 5 kg|168.00|30|8|
Coffee Beans|bulk|BN-ESP-5K|Night Shift Espresso 5 kg|174.00|28|9|
Coffee Beans|bulk|BN-DEC-5K|Swiss Water Decaf 5 kg|198.00|60|2|
Filters and Papers|supply|FL-V60-100|Cone Filters No. 2, 100 pack|8.50|68|9|
Filters and Papers|supply|FL-FLT-100|Flat Bottom Filters, 100 pack|9.00|66|7|
Filters and Papers|supply|FL-CHX-100|Bonded Filters for Glass Brewer, 100 pack|12.50|75|5|
Filters and Papers|supply|FL-APR-350|Press Paper Discs, 350 pack|7.50|150|4|
Filters and Papers|durable|FL-MTL-01|Reusable Steel Filter|24.00|0|3|
Filters and Papers|bulk|FL-BAT-1000|Batch Brewer Filters, 1,000 pack|46.00|75|6|
Espresso Machines|durable|EM-LEV-01|Lever Espresso Maker|249.00|0|5|
Espresso Machines|durable|EM-ONE-01|Kestrel One Espresso Machine|489.00|0|7|
Espresso Machines|durable|EM-DUO-01|Kestrel Duo Dual Boiler|1299.00|0|2|
Espresso Machines|durable|EM-AUT-01|Morning Automatic Bean-to-Cup|799.00|0|4|
Espresso Machines|durable|EM-CAP-01|Compact Espresso Machine|329.00|0|5|
Grinders|durable|GR-HND-01|Hand Grinder Steel Burr|79.00|0|9|
Grinders|durable|GR-HND-02|Travel Hand Grinder|59.00|0|6|
Grinders|durable|GR-ELC-01|Electric Burr Grinder|149.00|0|8|
Grinders|durable|GR-ELC-02|Flat Burr Grinder Pro|399.00|0|3|
Grinders|durable|GR-SPC-01|Spice Mill|34.00|0|2|
Brewers|durable|BR-V60-01|Ceramic Pour-Over Dripper|28.00|0|9|
Brewers|durable|BR-GLS-06|Glass Brewer 6 Cup|52.00|0|6|
Brewers|durable|BR-FRP-08|French Press 1 l|44.00|0|7|
Brewers|durable|BR-MOK-06|Moka Pot 6 Cup|39.00|0|6|
Brewers|durable|BR-PRS-01|Travel Coffee Press|42.00|0|5|
Brewers|durable|BR-DRP-10|Drip Coffee Maker 10 Cup|189.00|0|4|
Brewers|durable|BR-CLD-01|Cold Brew Pitcher|36.00|0|7|4 5 6 7 8
Brewers|durable|BR-SYP-01|Vacuum Siphon|129.00|0|1|
Kettles and Scales|durable|KT-GSN-01|Gooseneck Kettle|64.00|0|6|
Kettles and Scales|durable|KT-ELC-01|Electric Gooseneck Kettle|139.00|0|6|
Kettles and Scales|durable|KT-SCL-01|Brewing Scale with Timer|49.00|0|8|
Kettles and Scales|durable|KT-SCL-02|Pocket Espresso Scale|69.00|0|4|
Kettles and Scales|durable|KT-THM-01|Milk Thermometer|15.00|0|3|
Mugs and Glassware|extra|MG-STN-01|Stoneware Mug|18.00|0|9|
Mugs and Glassware|extra|MG-ESP-02|Espresso Cups, Set of 2|26.00|0|7|
Mugs and Glassware|extra|MG-DBL-02|Double Wall Glasses, Set of 2|29.00|0|7|
Mugs and Glassware|extra|MG-TRV-01|Insulated Travel Mug|32.00|0|8|
Mugs and Glassware|extra|MG-LAT-04|Latte Bowls, Set of 4|48.00|0|3|
Mugs and Glassware|extra|MG-ICE-04|Iced Coffee Glasses, Set of 4|34.00|0|5|5 6 7 8
Cleaning and Care|supply|CL-TAB-60|Machine Cleaning Tablets, 60 pack|19.00|120|7|
Cleaning and Care|supply|CL-DSC-04|Descaler, 4 sachets|14.50|130|8|
Cleaning and Care|supply|CL-GRN-10|Grinder Cleaning Pellets|17.00|170|3|
Cleaning and Care|supply|CL-WFT-03|Water Filter Cartridges, 3 pack|27.00|95|5|
Cleaning and Care|extra|CL-BRS-01|Barista Brush|11.00|0|4|
Cleaning and Care|extra|CL-CLT-03|Microfibre Cloths, 3 pack|13.00|0|4|
Cleaning and Care|bulk|CL-TAB-500|Machine Cleaning Tablets, 500 pack|94.00|120|4|
Kitchen|extra|KI-TWL-02|Linen Tea Towels, Set of 2|22.00|0|5|
Kitchen|extra|KI-BRD-01|Oak Serving Board|46.00|0|4|
Kitchen|extra|KI-JAR-03|Airtight Storage Jars, Set of 3|38.00|0|6|
Kitchen|extra|KI-PIT-01|Milk Pitcher 600 ml|24.00|0|6|
Kitchen|extra|KI-TMP-01|Walnut Tamper|54.00|0|4|
Kitchen|extra|KI-APR-01|Canvas Apron|42.00|0|3|
Kitchen|extra|KI-CAN-01|Vacuum Coffee Canister|36.00|0|7|
Syrups and Treats|extra|SY-VAN-01|Vanilla Syrup 500 ml|13.50|0|6|
Syrups and Treats|extra|SY-CAR-01|Salted Caramel Syrup 500 ml|13.50|0|5|
Syrups and Treats|extra|SY-PMP-01|Pumpkin Spice Syrup 500 ml|13.50|0|6|9 10 11
Syrups and Treats|extra|SY-BIS-01|Almond Biscotti Tin|16.00|0|7|
Syrups and Treats|extra|SY-CHO-01|Dark Chocolate Coffee Beans|12.00|0|8|
Gift Sets|gift|GF-TST-04|Tasting Box, 4 Coffees|39.00|0|10|
Gift Sets|gift|GF-PRO-01|Pour-Over Starter Set|89.00|0|7|
Gift Sets|gift|GF-ESP-01|Espresso Lover Gift Box|74.00|0|6|
Gift Sets|gift|GF-ADV-24|Coffee Advent Calendar|69.00|0|10|10 11 12
Gift Sets|gift|GF-CHO-01|Coffee and Chocolate Hamper|58.00|0|8|11 12
Gift Sets|gift|GF-MOM-01|Sunday Morning Gift Box|64.00|0|6|4 5
Gift Sets|gift|GF-HST-01|Housewarming Kitchen Box|98.00|0|4|
"""


def _articles() -> tuple[Article, ...]:
    lines = [line.split("|") for line in _TABLE.strip().splitlines()]
    return tuple(
        Article(
            id=number,
            sku=sku,
            title=title,
            category=category,
            cents=int(Decimal(price) * 100),
            use=use,  # type: ignore[arg-type]
            lasts=int(lasts),
            weight=float(weight),
            months=frozenset(int(month) for month in months.split()) or frozenset(range(1, 13)),
        )
        for number, (
            category,
            use,
            sku,
            title,
            price,
            lasts,
            weight,
            months,
        ) in enumerate(lines, start=1)
    )


ARTICLES = _articles()
BY_SKU = {article.sku: article for article in ARTICLES}


def _shelf(use: Use, month: int) -> tuple[tuple[Article, ...], tuple[float, ...]]:
    found = tuple(article for article in ARTICLES if article.use == use and month in article.months)
    return found, tuple(accumulate(article.weight for article in found))


SHELVES = {
    (use, month): _shelf(use, month)
    for use in ("bean", "supply", "durable", "extra", "gift", "bulk")
    for month in range(1, 13)
}
"""What of a kind is in season in a month, and the running sum of how popular it is."""


def rows(span: Span) -> list[NewProduct]:
    """The assortment as rows of ``products``."""
    return [
        NewProduct(
            id=article.id,
            sku=article.sku,
            title=article.title,
            category=article.category,
            price=money(article.cents),
            url=SITE + re.sub(r"[^a-z0-9]+", "-", article.title.lower()).strip("-"),
            created_at=instant(span.start),
        )
        for article in ARTICLES
    ]


def money(cents: int) -> Decimal:
    """Cents as an amount with two decimals."""
    return Decimal(cents).scaleb(-2)
