"""How would the usual Celery pattern send? One task per message, acknowledged late; kept to be measured beside ours.

``celery -A usual_pattern worker`` runs the tasks, ``python usual_pattern.py`` publishes one for every queued message.
"""

import time
import uuid

from sqlalchemy import text

from channels.registry import providers
from db.session import transaction
from domain.errors import Invalid
from services.letters import Unwritten, write
from workers.app import app

app.conf.update(task_default_queue="usual", task_acks_late=True, task_reject_on_worker_lost=True)


@app.task(name="usual.send", acks_late=True)  # type: ignore[untyped-decorator]
def send(customer_id: int, message_id: str) -> None:
    """Check consent, render, call the provider, note the result."""
    with transaction() as session:
        row = session.execute(
            text("""
                select m.*, c.email, s.state as consent from messages m join customers c on c.id = m.customer_id
                left join consents s on s.customer_id = c.id and s.channel = m.channel and s.until_at is null
                where m.customer_id = :customer and m.id = :id
            """),
            {"customer": customer_id, "id": message_id},
        ).one()
        if row.state != "queued" or row.consent != "subscribed":
            return
        one = Unwritten(
            uuid.UUID(message_id), customer_id, 1, "email", "marketing", row.flow_version_id, row.step, None, row.email
        )
        letter = write(session, [one])[one.id]
    if isinstance(letter, Invalid):
        raise letter
    [outcome] = providers()["vendor"].send([letter], time.monotonic() + 10)
    with transaction() as session:
        session.execute(
            text("""
                update messages set state = 'accepted', attempt = 1, provider_id = :theirs, accepted_at = now()
                where customer_id = :customer and id = :id
            """),
            {"customer": customer_id, "id": message_id, "theirs": outcome.provider_id},
        )


def publish() -> None:
    """One task per queued message."""
    with transaction() as session:
        rows = session.execute(text("select customer_id, id from messages where state = 'queued'")).all()
    with app.connection_for_write() as connection, connection.Producer() as producer:
        for customer_id, message_id in rows:
            send.apply_async((customer_id, str(message_id)), producer=producer)


if __name__ == "__main__":
    publish()
