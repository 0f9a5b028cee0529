// What is the answer to a question about figures? One number, bars, a line over time or a spread, each with its numbers.
const { number, money, share } = window.parley;
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const said = (value) => (props.kind === "money" ? money(value, props.currency) : number(value, Number(value) % 1 && Math.abs(value) < 100 ? 1 : 0));

function Bars({ rows }) {
  const top = Math.max(...rows.map((row) => row.value), 1e-9);
  return (
    <ol className="bars">
      {rows.map((row) => (
        <li key={row.label}>
          <span className="name" title={row.label}>{row.label}</span>
          <span className="track"><i style={{ width: `${Math.max(0.5, (100 * row.value) / top)}%` }} /></span>
          <span className="fig">{said(row.value)}</span>
        </li>
      ))}
    </ol>
  );
}

// A stretch is named by its first day; months, quarters and years by what people call them.
function stretch(label) {
  const [year, month] = label.split("-");
  const unit = props.counted.split(" per ").pop();
  if (unit === "year") return year;
  if (unit === "quarter") return `Q${Math.ceil(month / 3)} ${year}`;
  return unit === "month" ? new Date(`${label}T12:00:00Z`).toLocaleDateString("en-US", { month: "short", year: "numeric", timeZone: "UTC" }) : label;
}

function Trend({ rows: raw }) {
  const rows = raw.map((row) => ({ ...row, label: stretch(row.label) }));
  const top = Math.max(...rows.map((row) => row.value), 1e-9);
  const points = rows.map((row, place) => [(100 * place) / Math.max(1, rows.length - 1), 58 - (54 * row.value) / top]);
  const drawn = (some) => some.map(([x, y], place) => `${place ? "L" : "M"}${x} ${y}`).join("");
  const open = rows.length > 1 && rows[rows.length - 1].whole === false;
  const line = drawn(open ? points.slice(0, -1) : points);
  const last = rows[rows.length - 1];
  const peak = rows.reduce((best, row) => (row.value > best.value ? row : best), rows[0]);
  return (
    <>
      <svg className="trend" viewBox="0 0 100 60" preserveAspectRatio="none" role="img" aria-label={props.label}>
        <path className="under" d={`${drawn(points)}L100 60L0 60Z`} /><path d={line} />
        {open ? <path className="open" d={drawn(points.slice(-2))} /> : null}
      </svg>
      <div className="spread-base"><span>{rows[0].label}</span><span>{last.label}{open ? ", in part" : ""}: {said(last.value)}</span></div>
      <p className="step-foot card-num"><span>most <b>{said(peak.value)}</b>, {peak.label}</span></p>
      <Numbers rows={rows} />
    </>
  );
}

function Spread({ spread }) {
  const top = Math.max(...spread.bins.map((bin) => bin.people), 1), width = 100 / spread.bins.length;
  const marks = ["25", "50", "75", "90"].filter((mark) => mark in spread.percentiles);
  const rows = spread.bins.map((bin) => ({ label: `from ${said(bin.low)}`, value: bin.people }));
  return (
    <>
      <svg className="spread" viewBox="0 0 100 60" preserveAspectRatio="none" role="img" aria-label={props.label}>
        {spread.bins.map((bin, place) => {
          const height = bin.people ? Math.max(1.2, (58 * Math.sqrt(bin.people)) / Math.sqrt(top)) : 0;
          return <rect key={bin.low} className="in" x={place * width + 0.3} width={width - 0.6} y={60 - height} height={height} />;
        })}
      </svg>
      <div className="spread-base"><span>{said(spread.bins[0].low)}</span><span>{said(spread.bins[spread.bins.length - 1].low)} and more</span></div>
      <p className="step-foot card-num">
        {marks.map((mark) => <span key={mark}>{mark === "50" ? "median" : `${mark}th percentile`} <b>{said(spread.percentiles[mark])}</b></span>)}
      </p>
      <Numbers rows={rows} plain />
    </>
  );
}

function Numbers({ rows, plain }) {
  return (
    <details style={{ marginTop: 10 }}>
      <summary>Numbers</summary>
      <table><tbody>{rows.map((row) => <tr key={row.label}><td>{row.label}</td><td>{plain ? number(row.value) : said(row.value)}</td></tr>)}</tbody></table>
    </details>
  );
}

export default (
  <article className="card" data-card="figures">
    <header className="card-head">
      <p className="card-kind">{sentence(props.label)}</p>
      {props.value === null || props.value === undefined ? (
        <>
          <h3>{sentence(props.of)}</h3>
          <p className="quiet small">{[props.rows?.length ? props.counted : "", props.during].filter(Boolean).join(", ")}</p>
        </>
      ) : (
        <div className="card-figures" style={{ marginTop: 6 }}>
          <p className="card-size">
            <strong>{props.what === "share" ? share(props.value, 1) : said(props.value)}</strong>
            <span>{props.everyone || props.what !== "count" ? props.of : `${props.counted} of ${props.of}`}{props.during ? `, ${props.during}` : ""}{props.people && props.everyone ? `, ${number(props.people)} of ${number(props.everyone)} people` : ""}</span>
          </p>
        </div>
      )}
    </header>
    {props.rows?.length ? <section className="card-part">{props.what === "trend" ? <Trend rows={props.rows} /> : <Bars rows={props.rows} />}</section> : null}
    {props.distribution?.bins?.length ? <section className="card-part"><Spread spread={props.distribution} /></section> : null}
  </article>
);
