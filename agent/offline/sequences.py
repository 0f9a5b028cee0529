"""What came after what? ``bought a grinder and then beans``, ``added to cart, then did not order within 7 days``."""

from agent.offline.frames import Frame, tree
from agent.offline.lexicon import Lexicon
from agent.offline.sentence import Said
from agent.offline.trees import Leaf, Tree
from domain import segments as seg
from domain.windows import Window


def joined(before: Said, after: Said, lexicon: Lexicon) -> Tree | None:
    """Two conditions as steps in time; ``None`` where the segment language cannot say it."""
    first, second = _steps(before, lexicon), _step(after, lexicon)
    if not first or second is None:
        return None
    steps, during = first
    step, within = second
    if within is not None and (within.start or within.end or within.calendar or within.until):
        return None
    length = within.last if within else None
    if step.op == "none" and length is None:
        return None
    last = seg.Step(name=step.name, op=step.op, within=length, where=step.where)
    return Leaf(seg.Sequence(steps=(*steps, last), during=during))


def _steps(said: Said, lexicon: Lexicon) -> tuple[tuple[seg.Step, ...], Window | None] | None:
    """What came before: one deed, or a sequence already."""
    if isinstance(said.tree, Leaf) and isinstance(said.tree.node, seg.Sequence):
        return said.tree.node.steps, said.tree.node.during
    found = _step(said, lexicon)
    if found is None or found[0].op == "none":
        return None
    return (found[0],), found[1]


def _step(said: Said, lexicon: Lexicon) -> tuple[seg.Step, Window | None] | None:
    """A deed that is only done or not done, with its filters and its window."""
    frame = said.frame
    made = tree(frame, lexicon) if isinstance(frame, Frame) else None
    node = made.node if isinstance(made, Leaf) else None
    if not isinstance(node, seg.Activity) or node.op not in {"any", "none"}:
        return None
    return seg.Step(name=node.name, op="none" if node.op == "none" else "any", where=node.where), node.during
