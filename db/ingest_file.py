"""How is a file of lines read, whatever wrote it: CSV of any usual kind, or Parquet?

DuckDB holds the lines as text, sorts them and finds repetitions, on disk where memory does not do. What is not such a
file is refused with one message before anything else happens.
"""

import codecs
import csv
import io
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb

from domain.errors import Invalid, NotFound

MEMORY = "400MB"
CHUNK = 1 << 20
FETCHED = 5_000
SAMPLE = 500
MOST_VALUES = 200_000
MOST_COLUMNS = 1_000
LONGEST_LINE = 16 << 20

_PARQUET, _ZIP, _GZIP = b"PAR1", b"PK\x03\x04", b"\x1f\x8b"
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_LAST_GUESS = "cp1252"
_GUESSES = ("utf-8", _LAST_GUESS)
_RARE = r"\u0192\u02c6\u2030\u2039\u203a\u00a4\u00a6\u00ac\u00af\u00b8\u00b6\u00a7\u2020\u2021"
_STRANGE = re.compile(rf"[^\x00-\x7f]{{2,}}|[{_RARE}]")


@dataclass(frozen=True)
class Format:
    """How the file is written, for the report."""

    kind: str
    encoding: str | None = None
    delimiter: str | None = None


class Lines:
    """The lines of a file; columns go by their headings, lines by their number in the file, the heading not counted."""

    def __init__(
        self, database: duckdb.DuckDBPyConnection, headings: Sequence[str], how: Format, broken: list[int]
    ) -> None:
        self._database = database
        self._columns = {heading: f"c{number}" for number, heading in enumerate(headings)}
        self.format = how
        self.broken = broken
        self.count = _one(database, "select count(*) from lines") + len(broken)

    @property
    def headings(self) -> list[str]:
        """The columns' headings in the order of the file; empty ones are named, repeated ones numbered."""
        return list(self._columns)

    def samples(self) -> dict[str, list[str]]:
        """Some filled values of each column, taken evenly from the whole file."""
        step = max(1, self.count // SAMPLE)
        rows = self._database.execute(
            "select columns(* exclude line) from lines where (line - 1) % ? = 0 order by line limit ?", [step, SAMPLE]
        ).fetchall()
        return {
            heading: [row[position] for row in rows if row[position] and row[position].strip()]
            for position, heading in enumerate(self._columns)
        }

    def distinct(self, heading: str) -> list[str]:
        """The different values of a column, at most the first 200,000."""
        column = self._columns[heading]
        query = f"select distinct {column} from lines where {column} is not null limit ?"  # noqa: S608 - our own name
        return [row[0] for row in self._database.execute(query, [MOST_VALUES]).fetchall()]

    def counted(self, *headings: str) -> Counter[tuple[str | None, ...]]:
        """How often each combination of values of some columns comes."""
        names = ", ".join(self._columns[heading] for heading in headings)
        query = f"select count(*), {names} from lines group by all"  # noqa: S608 - our own names
        return Counter({row[1:]: row[0] for row in self._database.execute(query).fetchall()})

    def grouped(self, by: str, headings: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
        """The lines, together where they share the value of the column ``by``.

        Each is its number, whether it repeats an earlier line in all columns, then the text of the columns asked for.
        """
        names = ", ".join(self._columns[heading] for heading in headings)
        everything = ", ".join(self._columns.values())
        query = f"""
            select {self._columns[by]}, line, row_number() over (partition by {everything} order by line) > 1, {names}
            from lines order by {self._columns[by]}, line
        """  # noqa: S608 - our own names
        cursor = self._database.execute(query)
        rows = (row for chunk in iter(lambda: cursor.fetchmany(FETCHED), []) for row in chunk)
        for _, together in groupby(rows, key=itemgetter(0)):
            yield [row[1:] for row in together]


@contextmanager
def opened(path: Path, encoding: str | None = None) -> Iterator[Lines]:
    """Read a file; ``encoding`` is that of a CSV whose bytes do not tell.

    Raises NotFound (``file_missing``) and Invalid (``file_empty``, ``file_unreadable``, ``encoding_unknown``).
    """
    if not path.is_file():
        raise NotFound("file_missing", f"There is no file {path}.", "Check the path.", "file")
    if path.stat().st_size == 0:
        raise Invalid("file_empty", f"{path.name} is empty.", "Export the orders again.", "file")
    with tempfile.TemporaryDirectory(prefix="parley-import-") as folder, _database(Path(folder)) as database:
        with path.open("rb") as file:
            magic = file.read(4)
        if magic == _PARQUET or path.suffix.lower() in {".parquet", ".pq"}:
            lines = _parquet(database, path)
        elif magic == _ZIP or magic[:2] == _GZIP:
            raise Invalid(
                "file_unreadable",
                f"{path.name} is a spreadsheet or a compressed file.",
                "Save it as CSV, or unpack it first.",
                "file",
            )
        else:
            lines = _csv(database, path, encoding, Path(folder) / "lines.csv")
        if lines.count == 0:
            raise Invalid("file_empty", f"{path.name} has headings but no lines.", "Export the orders again.", "file")
        yield lines


@contextmanager
def _database(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    database = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": MEMORY,
            "temp_directory": str(folder / "spill"),
        }
    )
    try:
        database.execute("set timezone = 'UTC'")
        yield database
    finally:
        database.close()


def _parquet(database: duckdb.DuckDBPyConnection, path: Path) -> Lines:
    try:
        found = database.execute("select * from read_parquet(?) limit 0", [str(path)]).description or []
        headings = _unique([column[0] for column in found])
        names = ", ".join(f"c{number}" for number in range(len(headings)))
        database.execute(
            f"create table lines as select row_number() over () as line, * from"  # noqa: S608 - our own names
            f" (select columns(*)::varchar from read_parquet(?)) as t({names})",
            [str(path)],
        )
    except duckdb.Error as error:
        raise Invalid(
            "file_unreadable",
            f"{path.name} is not a whole Parquet file: {_first_line(error)}",
            "Export or copy it again; half a file will not be imported.",
            "file",
        ) from error
    return Lines(database, headings, Format("Parquet"), [])


def _csv(database: duckdb.DuckDBPyConnection, path: Path, encoding: str | None, plain: Path) -> Lines:
    found = _rewritten(path, plain, encoding)
    with plain.open(encoding="utf-8", newline="") as file:
        beginning = file.read(CHUNK)
    delimiter = _delimiter(beginning)
    heading = next((row for row in csv.reader(io.StringIO(beginning), delimiter=delimiter) if any(row)), [])
    headings = _unique(heading)
    if len(headings) > MOST_COLUMNS:
        raise Invalid("file_unreadable", f"{path.name} has {len(headings):,} columns.", "Leave some out.", "file")
    types = "{" + ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(headings))) + "}"
    try:
        database.execute(
            "create table lines as select row_number() over () as line, * from read_csv(?, delim = ?, quote = '\"',"  # noqa: S608 - our own names
            f" escape = '\"', header = true, auto_detect = false, columns = {types}, store_rejects = true,"
            f" rejects_limit = 0, max_line_size = {LONGEST_LINE})",
            [str(plain), delimiter],
        )
        rejected = database.execute("select distinct line, error_type from reject_errors order by line").fetchall()
    except duckdb.Error as error:
        raise Invalid("file_unreadable", f"{path.name}: {_first_line(error)}", "Export it again.", "file") from error
    for line, kind in rejected:
        if kind not in {"MISSING COLUMNS", "TOO MANY COLUMNS"}:
            raise Invalid(
                "file_unreadable",
                f"{path.name} breaks at line {line}: a quotation mark is opened and never closed, or a sign is broken.",
                "Export it again, or mend that line.",
                "file",
            )
    broken = sorted({line - 1 for line, _ in rejected})
    if broken and not _one(database, "select count(*) from lines"):
        raise Invalid(
            "file_unreadable",
            f"No line of {path.name} has as many columns as its heading.",
            "Export it again; the separator must stand in quoted values only.",
            "file",
        )
    return Lines(database, headings, Format("CSV", found, delimiter), broken)


def _rewritten(path: Path, plain: Path, encoding: str | None) -> str:
    """Copy the text as UTF-8 with plain line ends; returns the encoding it was in."""
    for guess in [encoding] if encoding else _encodings(path):
        try:
            decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(guess)(), translate=True)
            with path.open("rb") as source, plain.open("w", encoding="utf-8", newline="") as target:
                doubt = 0
                for chunk in iter(lambda: source.read(CHUNK), b""):
                    text = decoder.decode(chunk)
                    if "\x00" in text:
                        raise Invalid(
                            "file_unreadable",
                            f"{path.name} is no text file.",
                            "Give a CSV or Parquet file of order lines.",
                            "file",
                        )
                    doubt += _doubt(text) if guess == _LAST_GUESS and not encoding else 0
                    target.write(text)
                target.write(decoder.decode(b"", final=True))
        except (UnicodeError, LookupError):
            continue
        if doubt <= 0:
            return guess
    raise Invalid(
        "encoding_unknown",
        f"{path.name} is written in an encoding that cannot be told from its bytes"
        + (f"; {encoding} it is not." if encoding else "."),
        "Save it as UTF-8, or name its encoding, for example --encoding shift_jis.",
        "encoding",
    )


def _doubt(text: str) -> int:
    """Above zero for text of another encoding: its letters beyond ASCII stand together or are rare signs.

    Words of Western languages have single ones between plain letters.
    """
    strange = sum(map(len, _STRANGE.findall(text)))
    return 2 * strange - sum(not sign.isascii() for sign in text)


def _encodings(path: Path) -> Sequence[str]:
    with path.open("rb") as file:
        beginning = file.read(4_096)
    for bom, encoding in _BOMS.items():
        if beginning.startswith(bom):
            return (encoding,)
    zeros = beginning[::2].count(0), beginning[1::2].count(0)
    if max(zeros) > len(beginning) // 4:
        return ("utf-16-be",) if zeros[0] > zeros[1] else ("utf-16-le",)
    return _GUESSES


def _delimiter(beginning: str) -> str:
    """The mark that comes most often outside quotation marks in the heading."""
    heading = next((line for line in beginning.splitlines() if line.strip()), "")
    bare = "".join(heading.split('"')[::2])
    return max(",;\t|", key=bare.count)


def _unique(headings: Sequence[str]) -> list[str]:
    found: Counter[str] = Counter()
    unique = []
    for number, heading in enumerate(headings, start=1):
        name = " ".join(heading.split()) or f"column {number}"
        found[name] += 1
        unique.append(name if found[name] == 1 else f"{name} ({found[name]})")
    return unique


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].strip().rstrip(".") + "."


def _one(database: duckdb.DuckDBPyConnection, query: str) -> int:
    row = database.execute(query).fetchone()
    return int(row[0]) if row else 0
