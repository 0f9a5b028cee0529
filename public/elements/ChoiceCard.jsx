// In which ways can the question be answered? Choosing one says it in the conversation.
const { number } = window.parley;

export default (
  <div className="choices" data-card="choices">
    {props.options.map((option) => (
      <button key={option.reply} onClick={() => sendUserMessage(option.reply)}>
        <span>{option.label}</span>
        {option.people === null || option.people === undefined ? null : <b>{number(option.people)} <small>people</small></b>}
      </button>
    ))}
  </div>
);
