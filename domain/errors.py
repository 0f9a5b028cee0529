"""What can go wrong, in words a caller can act on?

Five kinds; each door maps them to its own status in one table.
"""

from dataclasses import dataclass


@dataclass(eq=False)
class ParleyError(Exception):
    """A refusal: ``code`` is snake_case and stable, ``message`` says what happened, ``fix`` what to do about it."""

    code: str
    message: str
    fix: str = ""
    path: str = ""

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.path}: {self.message}" if self.path else self.message

    def as_dict(self) -> dict[str, str]:
        """The JSON every route answers: ``code``, ``message``, ``fix``, ``path``."""
        return {"code": self.code, "message": self.message, "fix": self.fix, "path": self.path}


class Invalid(ParleyError):
    """The input is wrong; ``path`` names the field and ``fix`` how to mend it."""


class NotFound(ParleyError):
    """What was named does not exist."""


class Conflict(ParleyError):
    """It is no longer in the state the caller thought it was."""


class Forbidden(ParleyError):
    """The caller may not do this."""


@dataclass(eq=False)
class Unavailable(ParleyError):
    """Something needed is not reachable now; try again after ``retry_after`` seconds."""

    retry_after: float = 5.0
