"""Orders to flows are decided like everything that goes out."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BEFORE = "kind in ('segment', 'flow', 'activation', 'customer', 'clock')"
SINCE = "kind in ('segment', 'flow', 'activation', 'customer', 'clock', 'order')"


def upgrade() -> None:
    """Let a proposal be an order to a flow."""
    op.drop_constraint(op.f("ck_approvals_kind"), "approvals", type_="check")
    op.create_check_constraint(op.f("ck_approvals_kind"), "approvals", SINCE)


def downgrade() -> None:
    """Go back; fails where there are such proposals."""
    op.drop_constraint(op.f("ck_approvals_kind"), "approvals", type_="check")
    op.create_check_constraint(op.f("ck_approvals_kind"), "approvals", BEFORE)
