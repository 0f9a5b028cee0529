"""First schema."""

from alembic import op

from db import tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything; the function first, as columns may default to it, so its body is checked when it is used."""
    op.execute("set local check_function_bodies = off")
    op.execute("""
        create function business_now() returns timestamptz volatile language sql as
        $$ select clock_timestamp() + coalesce((select clock_offset from store), interval '0') $$
    """)
    tables.load().create_all(op.get_bind())


def downgrade() -> None:
    """Take everything back."""
    tables.load().drop_all(op.get_bind())
    op.execute("drop function business_now()")
