// What does a proposed segment look like in the chat? Everything shown comes from the server; a change asks it anew.
import { useState } from "react";
import { Check, CircleAlert, CircleDashed, Filter, Mail, MessageCircle, MessageSquare, Pencil, X } from "lucide-react";

const CHANNELS = { email: ["Email", Mail], sms: ["SMS", MessageSquare], whatsapp: ["WhatsApp", MessageCircle] };
const STATES = {
  pending: ["Waits for you", CircleDashed],
  approved: ["Approved", Check],
  rejected: ["Rejected", X],
  void: ["Replaced", X],
  expired: ["Expired", CircleAlert],
};
const { number, money, share } = window.parley;

// The card is compiled again whenever anything around it changes. Keeping one component keeps what is being typed.
window.parley.cards.Segment ||= function Segment({ card, act }) {
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState("");
  const [editing, setEditing] = useState(false);
  const [name, setName] = useState(card.name);
  const pending = card.status === "pending";

  const call = async (action, payload) => {
    setBusy(payload.decision || "edit");
    setNote("");
    try {
      const answer = await act({ name: action, payload: { approval_id: card.approval_id, digest: card.digest, ...payload } });
      setNote(answer?.response?.error || "");
      if (!answer?.response?.error) setEditing(false);
    } catch {
      setNote("Parley did not answer. Check the connection and try again.");
    }
    setBusy("");
  };
  const change = (path, value) => call("edit", { changes: [{ path, value }] });

  if (card.gone) return <p className="quiet">This proposal is no longer kept.</p>;
  const [word, StateIcon] = STATES[card.status];
  return (
    <article className={`card ${pending ? "" : "over"}`} data-card="segment" data-status={card.status}>
      <header className="card-head">
        <p className="card-kind">
          <Filter />Segment
          <span className={`card-state ${card.status}`}><StateIcon />{word}</span>
        </p>
        {editing ? (
          <label className="field" style={{ marginTop: 10 }}>
            Name
            <input value={name} maxLength={120} onChange={(event) => setName(event.target.value)} autoFocus />
          </label>
        ) : (
          <h3>{card.name}</h3>
        )}
        {card.trouble ? null : (
          <div className="card-figures">
            <p className="card-size">
              <strong data-size={card.size}>{number(card.size)}</strong>
              <span>people, {share(card.size, card.everyone)} of {number(card.everyone)}</span>
            </p>
            <ul className="card-reach" aria-label="Reachable">
              {card.reachable.map(({ channel, people }) => {
                const [label, Icon] = CHANNELS[channel] || [channel, Mail];
                return (
                  <li key={channel} className={people ? "" : "none"} title={`${number(people)} may be written to by ${label}`}>
                    <Icon />{label} <b>{number(people)}</b>
                  </li>
                );
              })}
            </ul>
          </div>
        )}
      </header>

      {card.trouble ? (
        <div className="card-part"><p className="card-warn"><CircleAlert />{card.trouble}</p></div>
      ) : (
        <>
          <section className="card-part">
            <span className="card-label">Who</span>
            <ol className="fall">
              {card.lines.map((line, place) => {
                const before = place ? card.lines[place - 1].left : card.everyone;
                return (
                  <li key={line.path}>
                    <svg className="fill" preserveAspectRatio="none" viewBox="0 0 100 1" aria-hidden="true">
                      <rect className="rest" width="100" height="1" />
                      <rect width={Math.max(0.4, (100 * line.left) / card.everyone)} height="1" />
                    </svg>
                    <span className="what">{line.text}</span>
                    <span className="left">
                      {number(line.left)}
                      {before > line.left ? <span className="lost">−{number(before - line.left)}</span> : null}
                    </span>
                    {line.note || line.unknown ? (
                      <span className="note">
                        {[line.note, line.unknown ? `${number(line.unknown)} unknown${line.note ? "" : ", left out"}` : ""].filter(Boolean).join(" · ")}
                      </span>
                    ) : null}
                  </li>
                );
              })}
            </ol>
          </section>

          {card.assumptions.length || card.unused_words.length ? (
            <section className="card-part">
              <span className="card-label">How your words were read</span>
              <div className="chips">
                {card.assumptions.map((one) => (
                  <Assumption key={one.word + one.path} one={one} fixed={!pending || busy} change={change} />
                ))}
              </div>
              {card.unused_words.length ? (
                <p className="small quiet" style={{ marginTop: 8 }}>
                  Not used: {card.unused_words.map((unused) => `“${unused}”`).join(", ")}
                </p>
              ) : null}
            </section>
          ) : null}

          {card.distribution || card.sample.length ? (
            <section className={`card-part ${card.distribution && card.sample.length ? "card-pair" : ""}`} style={card.distribution && card.sample.length ? { padding: 0 } : {}}>
              {card.distribution ? <Spread spread={card.distribution} currency={card.currency} /> : null}
              {card.sample.length ? (
                <div>
                  <span className="card-label">For example</span>
                  <ul className="people">
                    {card.sample.slice(0, 4).map((person) => (
                      <li key={person.id}>
                        <span className="who">{person.name}</span>
                        <span className="fig">{money(person.ltv, card.currency)}</span>
                        <span className="mail">{person.email}</span>
                        <span className="when">
                          {person.last_order_at ? new Date(person.last_order_at).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: card.zone }).replace("Sept", "Sep") : "no order"}
                        </span>
                      </li>
                    ))}
                  </ul>
                </div>
              ) : null}
            </section>
          ) : null}
        </>
      )}

      {note ? <p className="card-note" role="alert"><CircleAlert />{note}</p> : null}
      {pending ? (
        <footer className="card-foot">
          {editing ? (
            <>
              <button className="card-button first" disabled={busy || !name.trim()} onClick={() => (name.trim() === card.name ? setEditing(false) : change("name", name.trim()))}>
                {busy ? "Saving…" : "Save the change"}
              </button>
              <button className="card-button" disabled={busy} onClick={() => { setName(card.name); setEditing(false); }}>Cancel</button>
            </>
          ) : (
            <>
              <button className="card-button first" data-act="approve" disabled={busy || card.trouble} onClick={() => call("decide", { decision: "approve" })}>
                <Check />{busy === "approve" ? "Saving…" : "Approve and save"}
              </button>
              <button className="card-button" data-act="edit" disabled={busy} onClick={() => setEditing(true)}><Pencil />Edit</button>
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
          {card.result.segment_id ? <a href={`/segments/${card.result.segment_id}`}>Open the segment</a> : null}
        </p>
      )}
    </article>
  );
};

// A word of the sentence and what it was read as; its number, if it has one, is changed in place.
function Assumption({ one, fixed, change }) {
  const [value, setValue] = useState(null);
  if (value === null) {
    const meaning = one.text.replace(`${one.word} = `, "");
    const said = <span><b>{one.word}</b> {meaning && meaning !== one.word ? `= ${meaning}` : ""}</span>;
    if (fixed || !one.path) return <span className="assume" data-word={one.word}>{said}</span>;
    return (
      <button className="assume" data-word={one.word} onClick={() => setValue(String(one.value))} title="Change it">
        {said}<Pencil />
      </button>
    );
  }
  const set = () => {
    const changed = Number(value);
    setValue(null);
    if (Number.isFinite(changed) && changed > 0 && changed !== one.value) change(one.path, changed);
  };
  return (
    <span className="assume open" data-word={one.word}>
      <b>{one.word}</b>
      <input
        type="number" min="1" step="any" value={value} autoFocus aria-label={`${one.word}, in ${one.unit}`}
        onFocus={(event) => event.target.select()}
        onChange={(event) => setValue(event.target.value)}
        onKeyDown={(event) => { if (event.key === "Enter") set(); if (event.key === "Escape") setValue(null); }}
      />
      {one.unit}
      <button className="set" onClick={set} aria-label="Count again with this"><Check /></button>
    </span>
  );
}

// How many people have which value, and where the line is drawn.
function Spread({ spread, currency }) {
  const { bins, threshold } = spread;
  const said = (value) => (spread.money ? money(value, currency) : number(value, value % 1 && value < 100 ? 1 : 0));
  const low = bins[0].low, high = bins[bins.length - 1].high, top = Math.max(...bins.map((bin) => bin.people));
  const x = threshold === null ? null : Math.min(100, Math.max(0, (100 * (threshold - low)) / (high - low || 1)));
  const inside = (bin) => threshold !== null && (spread.above ? bin.low + (bin.high - bin.low) / 2 >= threshold : bin.high <= threshold);
  const width = 100 / bins.length;
  return (
    <div>
      <span className="card-label">{spread.label} of everyone</span>
      {x === null ? null : (
        <div className="spread-mark">
          <span style={x > 55 ? { right: `${100 - x}%` } : { left: `${x}%` }}>
            {said(threshold)}{spread.percentile ? ` (${number(spread.percentile)}th percentile)` : ""}
          </span>
        </div>
      )}
      <svg className="spread" viewBox="0 0 100 60" preserveAspectRatio="none" role="img" aria-label={`Distribution of ${spread.label}`}>
        {bins.map((bin, place) => {
          const height = bin.people ? Math.max(1.2, (56 * Math.sqrt(bin.people)) / Math.sqrt(top)) : 0;
          return <rect key={bin.low} className={inside(bin) ? "in" : "out"} x={place * width + 0.3} width={width - 0.6} y={60 - height} height={height} />;
        })}
        {x === null ? null : <line className="mark" x1={x} x2={x} y1="0" y2="60" />}
      </svg>
      <div className="spread-base"><span>{said(low)}</span><span>{said(bins[bins.length - 1].low)} and more</span></div>
      <details style={{ marginTop: 8 }}>
        <summary>Numbers</summary>
        <table><tbody>
          {bins.map((bin, place) => (
            <tr key={bin.low}><td>{said(bin.low)}{place < bins.length - 1 ? ` to ${said(bin.high)}` : " and more"}</td><td>{number(bin.people)}</td></tr>
          ))}
        </tbody></table>
      </details>
    </div>
  );
}

export default <window.parley.cards.Segment card={props} act={callAction} />;
