"""Of whom was something written since a segment was last counted."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BULK = 5_000
"""A statement that changes more rows than this is noted once, for everybody."""

TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "customers": ("id", ("first_seen_at", "last_seen_at")),
    "addresses": ("customer_id", ()),
    "orders": ("customer_id", ("ordered_at", "cancelled_at")),
    "order_items": ("customer_id", ("ordered_at",)),
    "refunds": ("customer_id", ("refunded_at",)),
    "events": ("customer_id", ("at",)),
    "consents": ("customer_id", ("since_at", "until_at")),
    "tags": ("customer_id", ("since_at", "until_at")),
    "suppressions": ("customer_id", ("since_at",)),
}
"""Table -> whose row it is, and the times from which it counts."""

CHANGES = (("insert", "new"), ("update", "old"), ("update", "new"), ("delete", "old"))


def upgrade() -> None:
    """Create the table, and the triggers that fill it."""
    op.create_table(
        "touched_customers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_in", sa.BigInteger(), nullable=False),
        sa.Column(
            "written_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_touched_customers")),
    )
    op.create_index("ix_touched_customers_at", "touched_customers", ["at"])
    op.create_index("ix_touched_customers_written_in", "touched_customers", ["written_in"])
    op.add_column("segment_refreshes", sa.Column("whole_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "segment_refreshes", sa.Column("seen_to", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
    for table, (key, times) in TABLES.items():
        moments = ", ".join(["(now_)", *(f"(c.{time})" for time in times)])
        op.execute(f"""
            create function touch_{table}() returns trigger language plpgsql as $$
            declare
                now_ timestamptz := business_now();
                writer bigint := pg_current_xact_id()::text::bigint;
            begin
                if (select count(*) from (select from changed limit {BULK + 1}) rows) > {BULK} then
                    insert into touched_customers (at, written_in) values (now_, writer);
                else
                    insert into touched_customers (customer_id, at, written_in)
                    select distinct c.{key}, greatest(now_, t.at), writer
                    from changed c cross join lateral (values {moments}) t (at)
                    where c.{key} is not null and t.at is not null;
                end if;
                return null;
            end $$
        """)  # noqa: S608 - names of this file
        for event, side in CHANGES:
            op.execute(f"""
                create trigger touch_{event}_{side} after {event} on {table}
                referencing {side} table as changed for each statement execute function touch_{table}()
            """)
    op.execute("""
        create function touch_everybody() returns trigger language plpgsql as $$
        begin
            insert into touched_customers (at, written_in)
            values (business_now(), pg_current_xact_id()::text::bigint);
            return null;
        end $$
    """)
    op.execute("""
        create trigger touch after update or delete on products
        for each statement execute function touch_everybody()
    """)


def downgrade() -> None:
    """Take back."""
    op.execute("drop function touch_everybody() cascade")
    for table in TABLES:
        op.execute(f"drop function touch_{table}() cascade")
    op.drop_column("segment_refreshes", "seen_to")
    op.drop_column("segment_refreshes", "whole_at")
    op.drop_table("touched_customers")
