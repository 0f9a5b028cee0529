"""Which messages are kept to be used again, in which versions, and which flows say what they say?"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, RowMapping, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Row

ACTIVE, ARCHIVED = "active", "archived"


class Template(Row):
    """A named message; its words are those of its current version. The name of a deleted one is free again."""

    __tablename__ = "templates"
    __table_args__ = (
        CheckConstraint("status in ('active', 'archived')", name="status"),
        CheckConstraint("channel in ('email', 'sms', 'whatsapp')", name="channel"),
        Index("ix_templates_name", func.lower(text("name")), unique=True, postgresql_where=text("status = 'active'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    channel: Mapped[str]
    locale: Mapped[str]
    status: Mapped[str]
    version: Mapped[int]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class TemplateVersion(Row):
    """What a template said at one time. Never changed once written; ``digest`` is over its words."""

    __tablename__ = "template_versions"

    template_id: Mapped[int] = mapped_column(ForeignKey("templates.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str]
    preview_text: Mapped[str]
    body: Mapped[str]
    digest: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


_USES = text("""
    select f.id as flow_id, f.name, f.status, (step -> 'template' ->> 'id')::bigint as template_id,
           max((step -> 'template' ->> 'version')::int) as version
    from flows f
    join flow_versions v on v.flow_id = f.id and v.number = f.version
    cross join jsonb_array_elements(v.spec -> 'steps') as step
    where step -> 'template' ->> 'id' is not null and f.status <> 'archived'
    group by f.id, template_id
    order by f.id desc
""")


def named(session: Session, name: str) -> Template | None:
    """The template of that name that was not deleted; upper and lower case are the same."""
    wanted = select(Template).where(func.lower(Template.name) == name.lower(), Template.status == ACTIVE)
    return session.scalars(wanted).one_or_none()


def listed(session: Session) -> Sequence[tuple[Template, TemplateVersion]]:
    """The templates that were not deleted with their current versions, the one changed last first."""
    current = (TemplateVersion.template_id == Template.id) & (TemplateVersion.number == Template.version)
    wanted = select(Template, TemplateVersion).join(TemplateVersion, current).where(Template.status == ACTIVE)
    return [
        (row[0], row[1]) for row in session.execute(wanted.order_by(Template.updated_at.desc(), Template.id.desc()))
    ]


def versions(session: Session, template_id: int) -> Sequence[TemplateVersion]:
    """All versions of a template, newest first."""
    wanted = select(TemplateVersion).where(TemplateVersion.template_id == template_id)
    return session.scalars(wanted.order_by(TemplateVersion.number.desc())).all()


def uses(session: Session) -> Sequence[RowMapping]:
    """Which flows, newest first, say in their current version what a template says: flow, template, version."""
    return session.execute(_USES).mappings().all()
