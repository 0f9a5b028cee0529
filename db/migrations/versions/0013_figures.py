"""What each customer's orders and refunds come to, kept up to date by triggers."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ORDERS = """
    select customer_id, count(*) filter (where valid) as orders, sum(total) filter (where valid) as total,
           max(total) filter (where valid) as largest, min(total) filter (where valid) as smallest,
           min(ordered_at) filter (where valid) as first_at, max(ordered_at) filter (where valid) as last_at,
           max(greatest(ordered_at, cancelled_at)) as settled_at
    from (select *, cancelled_at is null as valid from orders) o where {which} group by customer_id
"""
REFUNDS = """
    select customer_id, count(*) filter (where valid) as refunds, sum(amount) filter (where valid) as amount,
           max(settled_at) as settled_at
    from (select r.customer_id, r.amount, o.cancelled_at is null as valid,
                 greatest(r.refunded_at, o.cancelled_at) as settled_at
          from refunds r left join orders o on o.customer_id = r.customer_id and o.id = r.order_id) r
    where {which} group by customer_id
"""
FIGURES = {
    "order": (ORDERS, ("orders", "total", "largest", "smallest", "first_at", "last_at", "settled_at")),
    "refund": (REFUNDS, ("refunds", "amount", "settled_at")),
}

# Who writes about the same customers is waited for first, by the one row that is there whatever was written: each
# statement after it sees all that was written by then, in a transaction that is "read committed" as all writers' are.
COUNT = """
    create function figure_{what}s(ids bigint[]) returns void language plpgsql as $$
    begin
        perform from customers where id = any (ids) order by id for no key update;
        insert into {what}_figures (customer_id, {columns}) {some} order by customer_id on conflict do nothing;
        update {what}_figures f set ({columns}) = row ({fresh}) from ({some}) n where n.customer_id = f.customer_id;
        delete from {what}_figures f
        where f.customer_id = any (ids) and not exists (select from {what}s r where r.customer_id = f.customer_id);
    end $$
"""
CHANGED = """
    create function {what}s_changed() returns trigger language plpgsql as $$
    declare
        ids bigint[];
    begin
        case tg_op
            when 'TRUNCATE' then
                delete from {what}_figures;
            when 'INSERT' then
                select array_agg(distinct customer_id) into ids from fresh;
            when 'DELETE' then
                select array_agg(distinct customer_id) into ids from gone;
            else
                select array_agg(distinct customer_id) into ids
                from (select customer_id from gone union all select customer_id from fresh) both_of_them;
        end case;
        if ids is not null then
            {count}
        end if;
        return null;
    end $$
"""
TRIGGERS = {
    "insert": "new table as fresh",
    "update": "old table as gone new table as fresh",
    "delete": "old table as gone",
}
COUNTS = {
    "order": "perform figure_orders(ids); if tg_op <> 'INSERT' then perform figure_refunds(ids); end if;",
    "refund": "perform figure_refunds(ids);",
}

SAMPLED = ("orders", "order_items")
SAMPLE = 500
"""How closely PostgreSQL looks at whose rows there are: by default its guess of how many customers have some is a
quarter of the truth for a million of them, and it hashes what it could read in order."""


def upgrade() -> None:
    """Create the tables, count what is there, and keep counting."""
    instant, number = sa.DateTime(timezone=True), sa.Numeric()
    _create(
        "order_figures",
        sa.Column("orders", sa.BigInteger(), nullable=False),
        *(sa.Column(name, number, nullable=True) for name in ("total", "largest", "smallest")),
        *(sa.Column(name, instant, nullable=True) for name in ("first_at", "last_at")),
        sa.Column("settled_at", instant, nullable=False),
    )
    _create(
        "refund_figures",
        sa.Column("refunds", sa.BigInteger(), nullable=False),
        sa.Column("amount", number, nullable=True),
        sa.Column("settled_at", instant, nullable=False),
    )
    for what, (query, columns) in FIGURES.items():
        some = query.format(which="customer_id = any (ids)")
        fresh = ", ".join(f"n.{column}" for column in columns)
        op.execute(COUNT.format(what=what, columns=", ".join(columns), fresh=fresh, some=some))
    for what, count in COUNTS.items():
        op.execute(CHANGED.format(what=what, count=count))
        for event, named in TRIGGERS.items():
            op.execute(f"""
                create trigger figures_{event} after {event} on {what}s
                referencing {named} for each statement execute function {what}s_changed()
            """)
        op.execute(f"""
            create trigger figures_truncate after truncate on {what}s
            for each statement execute function {what}s_changed()
        """)
    for what, (query, columns) in FIGURES.items():  # now that nobody writes unnoticed
        op.execute(
            f"insert into {what}_figures (customer_id, {', '.join(columns)}) {query.format(which='true')} order by 1"
        )
    for table in SAMPLED:
        op.execute(f"alter table {table} alter column customer_id set statistics {SAMPLE}")
    op.drop_index("ix_refunds_customer_at", "refunds")
    op.create_index(
        "ix_refunds_customer_at",
        "refunds",
        ["customer_id", "refunded_at"],
        postgresql_include=["amount", "order_id"],
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_refunds_customer_at", "refunds")
    op.create_index("ix_refunds_customer_at", "refunds", ["customer_id", "refunded_at"], postgresql_include=["amount"])
    for table in SAMPLED:
        op.execute(f"alter table {table} alter column customer_id set statistics default")
    for what in FIGURES:
        op.execute(f"drop function {what}s_changed() cascade")
        op.execute(f"drop function figure_{what}s(bigint[])")
        op.drop_table(f"{what}_figures")


def _create(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f(f"fk_{name}_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f(f"pk_{name}")),
    )
    op.create_index(f"ix_{name}_settled_at", name, ["settled_at"])
