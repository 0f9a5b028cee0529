"""Which column of the file means what?

By its heading first (known headings below, compared without case, spaces and signs), checked against its values;
dates, email addresses and countries are also found by their values alone. What was found is shown, and anybody can
overrule it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from domain import countries
from domain.errors import Invalid
from domain.ingest import values

FITS = 0.6
"""Share of the filled values that must look right for a heading to be believed."""

SURELY_FITS = 0.9
"""The same for a column without a known heading."""

Columns = Mapping[str, str]
"""Field -> heading of the column that holds it."""

NEEDED = (("order",), ("date",), ("customer", "email"), ("product", "title"), ("quantity",), ("price",))
"""What a file of order lines must tell; where there are two, one of them will do."""

_SHOWN_HEADINGS = 20

_ANY_NUMBERS = (values.Numbers("."), values.Numbers(","))
_ANY_DATES = (values.Instants(ZoneInfo("UTC"), "dmy"), values.Instants(ZoneInfo("UTC"), "mdy"))


@dataclass(frozen=True)
class Field:
    """A thing a file can tell; its known ``headings`` are tried in this order."""

    name: str
    meaning: str
    headings: tuple[str, ...]


# field | meaning | headings; a line that begins with a space goes on
_TABLE = """
order|the order's number|invoiceno invoicenumber invoiceid invoice orderid orderno ordernumber ordername order
 transactionid transactionno receiptno receiptnumber bestellnummer name id
date|when it was ordered|invoicedate orderdate orderedat orderdatetime purchasedate purchasedat transactiondate
 createdat createdon processedat paidat date datetime timestamp bestelldatum
customer|the customer's number|customerid customerno customernumber customer clientid buyerid userid memberid
 customeruniqueid kundennummer
email|email address|email emailaddress customeremail buyeremail contactemail mail
first_name|first name|firstname customerfirstname billingfirstname shippingfirstname givenname vorname
last_name|last name|lastname customerlastname billinglastname shippinglastname surname familyname nachname
full_name|whole name|customername fullname buyername billingname shippingname
product|the product's code|stockcode sku productsku lineitemsku variantsku productcode productid itemcode itemid itemno
 articlenumber articleno articlecode artikelnummer
title|the product's name|description productname producttitle productdescription lineitemname lineitemtitle itemname
 itemdescription title product item article artikel name
category|the product's category|category productcategory producttype department
quantity|pieces|quantity qty units pieces lineitemquantity itemquantity quantityordered menge
price|price of one piece|unitprice priceeach itemprice lineitemprice productprice saleprice price preis
currency|currency|currency currencycode
order_total|what the order's products cost together|subtotal ordersubtotal subtotalprice
coupon|discount code|discountcode couponcode coupon vouchercode promocode
cancelled|when the order was cancelled|cancelledat canceledat cancellationdate
refunded|money given back for the order|refundedamount refundamount amountrefunded
agreed|whether the customer accepts marketing|acceptsmarketing acceptsemailmarketing emailconsent optin newsletter
country|country|shippingcountry shipcountry shippingcountrycode country countrycode customercountry billingcountry land
region|state or region|shippingprovincename shippingstate shippingregion shippingprovince shipstate state region
 province billingprovincename billingprovince
city|city|shippingcity shipcity city town billingcity ort
postal_code|postal code|shippingzip shippingpostalcode shippostalcode zip zipcode postalcode postcode billingzip plz
street|street|shippingaddress1 shippingstreet address1 street address billingaddress1
"""


def _fields() -> tuple[Field, ...]:
    lines = [line.split("|") for line in _TABLE.strip().replace("\n ", " ").splitlines()]
    return tuple(Field(name, meaning, tuple(headings.split())) for name, meaning, headings in lines)


FIELDS = _fields()
MEANINGS = {field.name: field.meaning for field in FIELDS}


def detect(samples: Mapping[str, Sequence[str]], chosen: Columns) -> dict[str, str]:
    """Field -> heading, from some filled values of every column; ``chosen`` wins over what would be found.

    Raises Invalid: ``unknown_field`` and ``unknown_column`` for what was chosen, ``columns_missing`` where the file
    does not tell what it must.
    """
    found = _checked(samples, chosen)
    for field in FIELDS:
        if field.name not in found:
            _find(field, samples, found)
    for name in _BY_VALUES:
        alike = [heading for heading in _free(samples, found) if _fits(name, samples[heading]) >= SURELY_FITS]
        if name not in found and len(alike) == 1:
            found[name] = alike[0]
    for name in {name for names in NEEDED for name in names} - set(found):
        _find_empty(name, samples, found)
    missing = [names for names in NEEDED if not any(name in found for name in names)]
    if missing:
        told = " and ".join(" or ".join(f"{MEANINGS[name]} ({name})" for name in names) for names in missing)
        headings = ", ".join(list(samples)[:_SHOWN_HEADINGS]) + (", ..." if len(samples) > _SHOWN_HEADINGS else "")
        raise Invalid(
            "columns_missing",
            f"No column holds {told}. The file has: {headings}.",
            f"Name the column, for example --map {missing[0][0]}={next(iter(samples))}; "
            "a file of orders needs one line per product bought.",
            missing[0][0],
        )
    return {field.name: found[field.name] for field in FIELDS if field.name in found}


def _checked(samples: Mapping[str, Sequence[str]], chosen: Columns) -> dict[str, str]:
    by_key = {_key(heading): heading for heading in samples}
    found: dict[str, str] = {}
    for name, heading in chosen.items():
        if name not in MEANINGS:
            close = get_close_matches(name, MEANINGS, n=1)
            fix = f"Did you mean {close[0]}?" if close else f"Fields: {', '.join(MEANINGS)}."
            raise Invalid("unknown_field", f"There is no field {name!r} to map.", fix, name)
        if _key(heading) not in by_key:
            fix = f"Columns: {', '.join(list(samples)[:_SHOWN_HEADINGS])}."
            raise Invalid("unknown_column", f"The file has no column {heading!r}.", fix, name)
        found[name] = by_key[_key(heading)]
    return found


def _find(field: Field, samples: Mapping[str, Sequence[str]], found: dict[str, str]) -> None:
    free = {_key(heading): heading for heading in reversed(_free(samples, found))}
    for known in field.headings:
        heading = free.get(known)
        if heading is not None and samples[heading] and _fits(field.name, samples[heading]) >= FITS:
            found[field.name] = heading
            return


def _find_empty(name: str, samples: Mapping[str, Sequence[str]], found: dict[str, str]) -> None:
    """Take a column for what its heading says although nothing stands in it, so that its lines are counted."""
    headings = next(field.headings for field in FIELDS if field.name == name)
    for heading in _free(samples, found):
        if not samples[heading] and _key(heading) in headings:
            found[name] = heading
            return


def _free(samples: Mapping[str, Sequence[str]], found: Mapping[str, str]) -> list[str]:
    return [heading for heading in samples if heading not in found.values()]


def _fits(name: str, sample: Iterable[str]) -> float:
    test = _CHECKS.get(name)
    looked_at = list(sample)
    return sum(map(test, looked_at)) / len(looked_at) if test and looked_at else float(bool(looked_at))


def _key(heading: str) -> str:
    return "".join(sign for sign in heading.casefold() if sign.isalnum())


def _is_key(value: str) -> bool:
    """Order numbers carry a digit and no spaces (in Shopify's export the column is called Name)."""
    return any(sign.isdigit() for sign in value) and " " not in value.strip()


def _is_number(value: str) -> bool:
    return any(numbers.read(value) is not None for numbers in _ANY_NUMBERS)


def _is_date(value: str) -> bool:
    return any(dates.read(value) is not None for dates in _ANY_DATES)


def _is_email(value: str) -> bool:
    return values.email(value) is not None


def _is_country(value: str) -> bool:
    return countries.code(value) is not None


_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "order": _is_key,
    "date": _is_date,
    "email": _is_email,
    "quantity": _is_number,
    "price": _is_number,
    "order_total": _is_number,
    "refunded": _is_number,
    "cancelled": _is_date,
    "country": _is_country,
}

_BY_VALUES = ("date", "email", "country")
