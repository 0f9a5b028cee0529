// What does a proposed flow look like in the chat? Its messages on a line, whom they reach, when, and within which limits.
import { useState } from "react";
import { Check, CircleAlert, CircleDashed, Clock, Hourglass, LogOut, Mail, MessageCircle, MessageSquare, Pencil, ShieldCheck, Workflow, X } from "lucide-react";

const CHANNELS = { email: ["Email", Mail], sms: ["SMS", MessageSquare], whatsapp: ["WhatsApp", MessageCircle] };
const STATES = {
  pending: ["Waits for you", CircleDashed],
  approved: ["Approved", Check],
  rejected: ["Rejected", X],
  void: ["Replaced", X],
  expired: ["Expired", CircleAlert],
};
const { number } = window.parley;
const plain = (start) => ({ now: { mode: "now" }, at: { mode: "at", at: start.at }, local: { mode: "local", date: start.date, time: start.time } })[start.mode];
const days = (duration) => /^P(\d+)([DW])$/.exec(duration || "");

window.parley.cards.Flow ||= function Flow({ card, act }) {
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState("");
  const [drafts, setDrafts] = useState(null); // path -> new value, while editing
  const pending = card.status === "pending";

  const call = async (action, payload) => {
    setBusy(payload.decision || "edit");
    setNote("");
    try {
      const answer = await act({ name: action, payload: { approval_id: card.approval_id, digest: card.digest, ...payload } });
      setNote(answer?.response?.error || "");
      if (!answer?.response?.error) setDrafts(null);
    } catch {
      setNote("Parley did not answer. Check the connection and try again.");
    }
    setBusy("");
  };
  const draft = (path, value) => setDrafts({ ...drafts, [path]: value });
  const save = () => {
    const changes = Object.entries(drafts).map(([path, value]) => ({ path, value }));
    return changes.length ? call("edit", { changes }) : setDrafts(null);
  };

  if (card.gone) return <p className="quiet">This proposal is no longer kept.</p>;
  const [word, StateIcon] = STATES[card.status];
  const sends = card.steps?.filter((step) => step.type === "send") || [];
  const channel = sends[0]?.channel;
  return (
    <article className={`card ${pending ? "" : "over"}`} data-card="flow" data-status={card.status}>
      <header className="card-head">
        <p className="card-kind">
          <Workflow />{sends.length === 1 && card.steps.length === 1 ? "Campaign" : "Flow"}
          <span className={`card-state ${card.status}`}><StateIcon />{word}</span>
        </p>
        {drafts ? (
          <label className="field" style={{ marginTop: 10 }}>
            Name
            <input value={drafts.name ?? card.name} maxLength={120} onChange={(event) => draft("name", event.target.value)} />
          </label>
        ) : (
          <h3>{card.name}</h3>
        )}
        {card.trouble ? null : (
          <div className="card-figures">
            <p className="card-size">
              <strong data-size={card.recipients}>{number(card.recipients)}</strong>
              <span>recipients</span>
            </p>
            <p className="small quiet" style={{ flex: "1 1 260px", paddingBottom: 4 }}>{card.read_back}</p>
          </div>
        )}
      </header>

      {card.trouble ? (
        <div className="card-part"><p className="card-warn"><CircleAlert />{card.trouble}</p></div>
      ) : (
        <>
          <section className="card-part">
            <span className="card-label">First message</span>
            <Start card={card} pending={pending} busy={busy} choose={(start) => call("edit", { changes: [{ path: "start", value: start }] })} />
          </section>

          <section className="card-part">
            <ol className="steps">
              {card.steps.map((step) => (
                <Step key={step.place} step={step} drafts={drafts} draft={draft} />
              ))}
            </ol>
          </section>

          {card.warnings.length ? (
            <section className="card-part">
              {card.warnings.map((warning) => <p key={warning} className="card-warn"><CircleAlert />{warning}</p>)}
            </section>
          ) : null}

          <section className="card-part">
            <ul className="rails" aria-label="Limits">
              {card.guardrails.map((rail, place) => <li key={rail}>{place ? null : <ShieldCheck />}{rail}</li>)}
            </ul>
          </section>
        </>
      )}

      {note ? <p className="card-note" role="alert"><CircleAlert />{note}</p> : null}
      {pending ? (
        <footer className="card-foot">
          {drafts ? (
            <>
              <button className="card-button first" disabled={busy} onClick={save}>{busy ? "Saving…" : "Save the changes"}</button>
              <button className="card-button" disabled={busy} onClick={() => setDrafts(null)}>Cancel</button>
            </>
          ) : (
            <>
              <button className="card-button first" data-act="approve" disabled={busy || card.trouble} onClick={() => call("decide", { decision: "approve" })}>
                <Check />{busy === "approve" ? "Starting…" : card.start?.mode === "now" ? "Approve and send now" : "Approve"}
              </button>
              <button className="card-button" data-act="edit" disabled={busy || card.trouble} onClick={() => setDrafts({})}><Pencil />Edit</button>
              <button className="card-button plain" data-act="reject" disabled={busy} onClick={() => call("decide", { decision: "reject" })}>
                {busy === "reject" ? "Rejecting…" : "Reject"}
              </button>
              <span className="push">{card.as_of ? `As of ${card.as_of}` : ""}</span>
            </>
          )}
        </footer>
      ) : (
        <p className="card-done">
          <span><b>{word}</b>{card.decided.by ? <> by <b>{card.decided.by}</b>, {card.decided.at}</> : null}</span>
          {card.decided.note ? <span>{card.decided.note}</span> : null}
          {card.result.flow_id ? <a href={`/flows/${card.result.flow_id}`}>Watch it run</a> : null}
        </p>
      )}
    </article>
  );
};

// When the first message goes out, the evidence for that hour, and sending now instead.
function Start({ card, pending, busy, choose }) {
  const at = card.evidence?.send_time;
  const proposed = card.proposed_start || (card.start.mode === "now" ? null : plain(card.start));
  const now = card.start.mode === "now";
  const top = at ? Math.max(...at.by_hour, 1) : 1;
  return (
    <>
      <div className="when">
        <Clock />
        <span>{card.start.text}</span>
        {pending && proposed ? (
          <span className="segmented" role="group" aria-label="When to send" style={{ flex: "none" }}>
            <button aria-pressed={!now} disabled={busy} onClick={() => now && choose(proposed)}>Proposed time</button>
            <button aria-pressed={now} data-act="send-now" disabled={busy} onClick={() => !now && choose({ mode: "now" })}>Send now</button>
          </span>
        ) : null}
      </div>
      {at && at.opens && !now ? (
        <>
          <div className="hours" role="img" aria-label="Opens and clicks by hour of the day">
            {at.by_hour.map((count, hour) => (
              <i key={hour} className={hour === at.hour ? "best" : ""} style={{ height: `${Math.max(3, (100 * count) / top)}%` }} title={`${hour}:00, ${number(count)}`} />
            ))}
          </div>
          <div className="hours-base"><span>00:00</span><span>12:00</span><span>23:00</span></div>
        </>
      ) : null}
      {at && !now ? <p className="small quiet" style={{ marginTop: 6 }}>{at.text}</p> : null}
    </>
  );
}

function Step({ step, drafts, draft }) {
  if (step.type === "wait") {
    const known = days(step.duration);
    const path = `steps.${step.place}.duration`;
    const shown = days(drafts?.[path]) || known;
    return (
      <li className="wait">
        <span className="knot"><Hourglass /></span>
        {drafts && known ? (
          <span className="assume open">
            Wait
            <input type="number" min="1" max="366" value={shown[1]} aria-label="Days to wait" onChange={(event) => draft(path, `P${Math.max(1, Math.min(366, parseInt(event.target.value, 10) || 1))}${known[2]}`)} />
            <span style={{ paddingRight: 8 }}>{known[2] === "W" ? "weeks" : "days"}</span>
          </span>
        ) : (
          <span className="pause">Wait {step.text}</span>
        )}
      </li>
    );
  }
  if (step.type === "exit") return <li><span className="knot"><LogOut /></span><span className="pause">End</span></li>;
  return <Message step={step} drafts={drafts} draft={draft} />;
}

function Message({ step, drafts, draft }) {
  const [wording, setWording] = useState(0);
  const [written, setWritten] = useState(false);
  const [whole, setWhole] = useState(false);
  const [label, Icon] = CHANNELS[step.channel] || [step.channel, Mail];
  const one = step.wordings[wording];
  const base = wording ? `steps.${step.place}.variants.${wording - 1}` : `steps.${step.place}`;
  const value = (field) => drafts?.[`${base}.${field}`] ?? one[field];
  const sample = step.seen.find((seen) => seen.wording === one.name);
  const seen = sample && !written ? sample : { subject: one.subject, preview: one.preview_text, text: one.body };
  return (
    <li>
      <span className="knot" title={label}><Icon /></span>
      <div className="mail-head">
        {drafts ? (
          <div className="fields">
            {step.channel === "email" ? (
              <>
                <label className="field">Subject<input value={value("subject")} maxLength={255} onChange={(event) => draft(`${base}.subject`, event.target.value)} /></label>
                <label className="field">Preview text<input value={value("preview_text")} maxLength={255} onChange={(event) => draft(`${base}.preview_text`, event.target.value)} /></label>
              </>
            ) : null}
            <label className="field">Message<textarea value={value("body")} onChange={(event) => draft(`${base}.body`, event.target.value)} /></label>
          </div>
        ) : (
          <div>
            <p className="subject">{seen.subject || label}</p>
            {seen.preview ? <p className="preview-text">{seen.preview}</p> : null}
          </div>
        )}
        {step.wordings.length > 1 ? (
          <span className="segmented" role="tablist" aria-label="Wordings">
            {step.wordings.map((other, place) => (
              <button key={other.name} role="tab" aria-selected={place === wording} onClick={() => setWording(place)}>{other.name}</button>
            ))}
          </span>
        ) : null}
      </div>
      {drafts ? null : (
        <>
          <div className={`body-text ${sample && !written ? "" : "code"} ${whole ? "" : "short"}`}>{seen.text}</div>
          <p className="step-foot">
            {step.template ? <span>Template {step.template}.</span> : null}
            <button className="link" onClick={() => setWhole(!whole)}>{whole ? "Show less" : "Show all of it"}</button>
            {sample ? (
              <span>
                {written ? "The template. " : <>As {sample.who || "a recipient"} gets it. </>}
                <button className="link" onClick={() => setWritten(!written)}>{written ? `As ${sample.who || "a recipient"} gets it` : "Show the template"}</button>
              </span>
            ) : null}
          </p>
        </>
      )}
    </li>
  );
}

export default <window.parley.cards.Flow card={props} act={callAction} />;
