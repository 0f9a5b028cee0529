// How do the buyers spread over recency and frequency, and what is each group worth?
const { number, money, share } = window.parley;
const { rfm } = props;
const SCORES = [5, 4, 3, 2, 1];
const most = Math.max(1, ...rfm.fields.map((field) => field.people));
const percent = (part) => share(part, 1);
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function range(axis, score) {
  const step = rfm.steps.find((one) => one.axis === axis && one.score === score);
  if (!step) return "";
  const [low, high] = [Math.floor(step.low), Math.floor(step.high)];
  return low === high ? number(low) : `${number(low)}–${number(high)}`;
}

function Field({ recency, frequency }) {
  const field = rfm.fields.find((one) => one.recency === recency && one.frequency === frequency);
  const depth = Math.round(6 + 54 * Math.sqrt(field.people / most));
  return (
    <td
      className={field.people ? "" : "none"}
      style={field.people ? { background: `color-mix(in srgb, var(--teal) ${depth}%, var(--surface))` } : undefined}
      title={`Recency ${recency}, frequency ${frequency}: ${number(field.people)} buyers, ${money(field.revenue, rfm.currency)}`}
    >
      {field.people ? number(field.people) : "·"}
    </td>
  );
}

const groups = rfm.groups.filter((group) => group.people);

export default (
  <article className="card" data-card="rfm">
    <header className="card-head">
      <p className="card-kind">RFM groups</p>
      <div className="card-figures" style={{ marginTop: 6 }}>
        <p className="card-size"><strong>{number(rfm.buyers)}</strong><span>who bought, of {rfm.of}; {money(rfm.revenue, rfm.currency)} in all</span></p>
      </div>
    </header>
    <section className="card-part">
      <table className="rfm">
        <caption>Number of purchases</caption>
        <thead><tr><th>Last, days ago</th>{[...SCORES].reverse().map((score) => <th key={score}>{range("frequency", score) || "–"}</th>)}</tr></thead>
        <tbody>
          {SCORES.map((recency) => (
            <tr key={recency}>
              <th>{range("recency", recency) || "–"}</th>
              {[...SCORES].reverse().map((frequency) => <Field key={frequency} recency={recency} frequency={frequency} />)}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
    <section className="card-part">
      <table className="versus">
        <thead><tr><th>Group</th><th>Buyers</th><th>Share</th><th>Revenue</th><th>Share</th><th className="wide">Each</th></tr></thead>
        <tbody>
          {groups.map((group) => (
            <tr key={group.key}>
              <td>{sentence(group.label)}</td><td>{number(group.people)}</td><td>{percent(group.share)}</td>
              <td>{money(group.revenue, rfm.currency)}</td><td>{percent(group.revenue_share)}</td><td className="wide">{money(group.mean_revenue, rfm.currency)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
    <p className="card-part small quiet">Scores split all buyers in five by rank; buyers who are equal share the lower score.</p>
  </article>
);
