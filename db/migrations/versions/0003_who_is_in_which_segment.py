"""Who is in which segment."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "segment_members",
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_segment_members_customer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segments.id"], name=op.f("fk_segment_members_segment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("customer_id", "segment_id", "entered_at", name=op.f("pk_segment_members")),
    )
    op.create_index("ix_segment_members_entered", "segment_members", ["segment_id", "entered_at"], unique=False)
    op.create_index(
        "ix_segment_members_left",
        "segment_members",
        ["segment_id", "left_at"],
        unique=False,
        postgresql_where=sa.text("left_at is not null"),
    )
    op.create_index(
        "ix_segment_members_open",
        "segment_members",
        ["segment_id", "customer_id"],
        unique=True,
        postgresql_where=sa.text("left_at is null"),
    )
    op.create_table(
        "segment_refreshes",
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("size", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("took_ms", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segments.id"], name=op.f("fk_segment_refreshes_segment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("segment_id", name=op.f("pk_segment_refreshes")),
    )
    op.create_table(
        "segment_sizes",
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("entered", sa.Integer(), nullable=True),
        sa.Column("exited", sa.Integer(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("source in ('counted', 'replayed')", name=op.f("ck_segment_sizes_source")),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segments.id"], name=op.f("fk_segment_sizes_segment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("segment_id", "version", "as_of", name=op.f("pk_segment_sizes")),
    )
    op.drop_constraint(op.f("uq_segments_name"), "segments", type_="unique")
    op.create_index(
        "ix_segments_name", "segments", ["name"], unique=True, postgresql_where=sa.text("status = 'active'")
    )
    op.drop_index("ix_outbox_open", table_name="outbox")
    op.create_index("ix_outbox_open", "outbox", ["kind", "id"], postgresql_where=sa.text("done_at is null"))


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_outbox_open", table_name="outbox")
    op.create_index("ix_outbox_open", "outbox", ["id"], postgresql_where=sa.text("done_at is null"))
    op.drop_index("ix_segments_name", table_name="segments", postgresql_where=sa.text("status = 'active'"))
    op.create_unique_constraint(op.f("uq_segments_name"), "segments", ["name"], postgresql_nulls_not_distinct=False)
    op.drop_table("segment_sizes")
    op.drop_table("segment_refreshes")
    op.drop_table("segment_members")
