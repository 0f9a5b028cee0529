// How do two segments differ? Both sides of every figure, how far apart they lie, and whether that may be chance.
const { number, money, share } = window.parley;
const { comparison } = props;
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const MARKS = { higher: "▲", lower: "▼", "about the same": "≈", "may be chance": "?", "too few": "–" };

const said = (value, kind) =>
  value === null || value === undefined ? "not known" : kind === "money" ? money(value, props.currency) : number(value, Number(value) % 1 ? 1 : 0);
const percent = (part) => share(part, 1);

function Verdict({ verdict }) {
  const clear = verdict === "higher" || verdict === "lower";
  return <span className={`verdict ${clear ? "clear" : ""}`}><i aria-hidden="true">{MARKS[verdict]}</i> {verdict}</span>;
}

// Where the difference lies between -1 and 1, with its interval; nought is the line in the middle.
function Apart({ at, low, high }) {
  if (at === null || at === undefined) return <span className="apart" />;
  const place = (value) => 50 + 50 * value;
  return (
    <span className="apart" title={`${at.toFixed(2)}, between ${low.toFixed(2)} and ${high.toFixed(2)} (99 %)`}>
      <i className={low > 0 || high < 0 ? "range clear" : "range"} style={{ left: `${place(low)}%`, width: `${Math.max(1, place(high) - place(low))}%` }} />
      <b style={{ left: `${place(at)}%` }} />
    </span>
  );
}

function Side({ side, letter }) {
  return (
    <div>
      <p className="card-label">{letter}</p>
      <p className="card-size"><strong>{number(side.people)}</strong><span>{percent(side.share)} of everyone</span></p>
      <p className="small side-of">{sentence(side.of)}</p>
    </div>
  );
}

function Rows({ title, rows }) {
  return (
    <section className="card-part">
      <table className="versus even">
        <thead><tr><th>{title}</th><th>A</th><th>B</th><th className="wide">B higher · A higher</th><th>A is</th></tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.label}>
              <td>{sentence(row.label)}</td><td>{row.one}</td><td>{row.other}</td>
              <td className="wide"><Apart {...row.apart} /></td><td><Verdict verdict={row.verdict} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const metrics = comparison.metrics.map((one) => ({
  label: one.label,
  one: said(one.median[0], one.kind),
  other: said(one.median[1], one.kind),
  apart: { at: one.delta, low: one.low, high: one.high },
  verdict: one.verdict,
}));
const kinds = [...new Set(comparison.shares.map((one) => one.about))].map((about) => [
  about,
  comparison.shares.filter((one) => one.about === about).map((one) => ({
    label: one.label,
    one: percent(one.share[0]),
    other: percent(one.share[1]),
    apart: { at: one.difference, low: one.low, high: one.high },
    verdict: one.verdict,
  })),
]);

export default (
  <article className="card" data-card="comparison">
    <header className="card-head"><p className="card-kind">Comparison</p></header>
    <div className="card-pair sides"><Side side={comparison.one} letter="A" /><Side side={comparison.other} letter="B" /></div>
    {metrics.length ? <Rows title="Median" rows={metrics} /> : null}
    {kinds.map(([about, rows]) => <Rows key={about} title={`Share, ${about}`} rows={rows} />)}
    <p className="card-part small quiet">
      {comparison.both ? `${number(comparison.both)} people are in both; A is judged against the others of B. ` : ""}
      A bar is the interval in which the difference lies at 99 %. One that crosses the middle may be chance.
    </p>
  </article>
);
