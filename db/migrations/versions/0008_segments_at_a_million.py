"""Segments at a million customers: indexes that answer alone, and what is known of texts compared without case."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

EXPRESSIONS = {
    "customers_email": ("lower(email)", "customers"),
    "customers_language": ("lower(language)", "customers"),
    "customers_acquisition_source": ("lower(acquisition_source)", "customers"),
    "addresses_city": ("lower(city)", "addresses"),
    "addresses_region": ("lower(region)", "addresses"),
    "addresses_country": ("lower(country)", "addresses"),
    "products_category": ("lower(category)", "products"),
    "products_title": ("lower(title)", "products"),
    "orders_coupon": ("lower(coupon)", "orders"),
}
"""Segments compare texts in lower case; without these the planner takes every such test for a rare one."""


def upgrade() -> None:
    """An order may have been cancelled later than the instant asked about, so the indexes hold cancelled ones too."""
    op.drop_index("ix_orders_customer_at", table_name="orders")
    op.create_index(
        "ix_orders_customer_at",
        "orders",
        ["customer_id", "ordered_at"],
        postgresql_include=["total", "cancelled_at"],
    )
    op.drop_index("ix_orders_at", table_name="orders")
    op.create_index(
        "ix_orders_at", "orders", ["ordered_at"], postgresql_include=["customer_id", "total", "cancelled_at"]
    )
    op.create_index(
        "ix_orders_cancelled",
        "orders",
        ["customer_id", "id"],
        postgresql_include=["cancelled_at"],
        postgresql_where="cancelled_at is not null",
    )
    op.drop_index("ix_order_items_product", table_name="order_items")
    op.create_index(
        "ix_order_items_product",
        "order_items",
        ["product_id", "customer_id"],
        postgresql_include=["order_id", "ordered_at", "total"],
    )
    op.create_index(
        "ix_consents_state",
        "consents",
        ["channel", "state", "customer_id"],
        postgresql_include=["since_at", "until_at"],
    )
    op.create_index("ix_customers_known", "customers", ["id"], postgresql_include=["first_seen_at"])
    for name, (expression, table) in EXPRESSIONS.items():
        op.execute(f"create statistics st_{name} on ({expression}) from {table}")
    for table in ("customers", "addresses", "products", "orders", "order_items", "consents"):
        op.execute(f"analyze {table}")
