// What does a proposed order look like in the chat? What would be done, to whom, what was and what will be.
import { useState } from "react";
import { ArrowRight, Check, CircleAlert, CircleDashed, User, Workflow, X } from "lucide-react";

const STATES = {
  pending: ["Waits for you", CircleDashed],
  approved: ["Approved", Check],
  rejected: ["Rejected", X],
  void: ["Replaced", X],
  expired: ["Expired", CircleAlert],
};

window.parley.cards.Change ||= function Change({ card, act }) {
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState("");
  const pending = card.status === "pending";

  const decide = async (decision) => {
    setBusy(decision);
    setNote("");
    try {
      const answer = await act({ name: "decide", payload: { approval_id: card.approval_id, digest: card.digest, decision } });
      setNote(answer?.response?.error || "");
    } catch {
      setNote("Parley did not answer. Check the connection and try again.");
    }
    setBusy("");
  };

  if (card.gone) return <p className="quiet">This proposal is no longer kept.</p>;
  const [word, StateIcon] = STATES[card.status];
  const Icon = card.kind === "customer" ? User : Workflow;
  return (
    <article className={`card ${pending ? "" : "over"}`} data-card={card.kind} data-status={card.status}>
      <header className="card-head">
        <p className="card-kind">
          <Icon />{card.title}
          <span className={`card-state ${card.status}`}><StateIcon />{word}</span>
        </p>
        <h3>{card.says ? `${card.says}: ${card.name}` : card.name}</h3>
        {card.meaning ? <p className={card.grave ? "card-warn lead" : "quiet lead"}>{card.grave ? <CircleAlert /> : null}{card.meaning}</p> : null}
      </header>
      {card.trouble ? <div className="card-part"><p className="card-warn"><CircleAlert />{card.trouble}</p></div> : null}
      {card.facts?.length ? (
        <dl className="card-part change-facts">
          {card.facts.map((fact) => (
            <div key={fact.label}>
              <dt>{fact.label}</dt>
              <dd>
                {fact.before ? <><s>{fact.before}</s>{fact.after ? <ArrowRight /> : null}</> : null}
                {fact.after ? <b>{fact.after}</b> : fact.before ? null : "–"}
              </dd>
            </div>
          ))}
        </dl>
      ) : null}
      {note ? <p className="card-note" role="alert"><CircleAlert />{note}</p> : null}
      {pending ? (
        <footer className="card-foot">
          <button className="card-button first" data-act="approve" disabled={busy || card.trouble} onClick={() => decide("approve")}><Check />{card.says}</button>
          <button className="card-button plain" data-act="reject" disabled={busy} onClick={() => decide("reject")}>Reject</button>
        </footer>
      ) : (
        <p className="card-done">
          <span><b>{word}</b>{card.decided.by ? <> by <b>{card.decided.by}</b>, {card.decided.at}</> : null}</span>
          {card.decided.note ? <span>{card.decided.note}</span> : null}
          {card.result.flow_id ? <a href={`/flows/${card.result.flow_id}`}>Open the flow</a> : null}
          {card.result.customer_id ? <a href={`/customers/${card.result.customer_id}`}>Open the customer</a> : null}
        </p>
      )}
    </article>
  );
};

export default <window.parley.cards.Change card={props} act={callAction} />;
