"""A statement that changes very many rows is noted again when what it dated ahead comes true."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BULK = 5_000
TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "customers": ("id", ("first_seen_at", "last_seen_at")),
    "orders": ("customer_id", ("ordered_at", "cancelled_at")),
    "order_items": ("customer_id", ("ordered_at",)),
    "refunds": ("customer_id", ("refunded_at",)),
    "events": ("customer_id", ("at",)),
    "consents": ("customer_id", ("since_at", "until_at")),
    "tags": ("customer_id", ("since_at", "until_at")),
    "suppressions": ("customer_id", ("since_at",)),
}
"""Table -> whose row it is, and the times from which it counts."""


def upgrade() -> None:
    """Note each instant ahead for everybody."""
    for table, (key, times) in TABLES.items():
        moments = ", ".join(["(now_)", *(f"(c.{time})" for time in times)])
        _replace(table, key, moments, of_everybody=moments)


def downgrade() -> None:
    """Take back."""
    for table, (key, times) in TABLES.items():
        _replace(table, key, ", ".join(["(now_)", *(f"(c.{time})" for time in times)]), of_everybody="(now_)")


def _replace(table: str, key: str, moments: str, *, of_everybody: str) -> None:
    op.execute(f"""
        create or replace function touch_{table}() returns trigger language plpgsql as $$
        declare
            now_ timestamptz := business_now();
            writer bigint := pg_current_xact_id()::text::bigint;
        begin
            if (select count(*) from (select from changed limit {BULK + 1}) rows) > {BULK} then
                insert into touched_customers (at, written_in)
                select distinct greatest(now_, t.at), writer
                from changed c cross join lateral (values {of_everybody}) t (at)
                where t.at is not null;
            else
                insert into touched_customers (customer_id, at, written_in)
                select distinct c.{key}, greatest(now_, t.at), writer
                from changed c cross join lateral (values {moments}) t (at)
                where c.{key} is not null and t.at is not null;
            end if;
            return null;
        end $$
    """)  # noqa: S608 - names of this file
