"""How is the web searched? Through Tavily, and only when a key is configured: without one its client goes keyless."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from tavily import TavilyClient
from tavily.errors import BadRequestError, ForbiddenError, InvalidAPIKeyError, UsageLimitExceededError
from tavily.errors import TimeoutError as TavilyTimeoutError

from domain.errors import Unavailable
from services.research import Finding, fact
from settings import Settings

TIMEOUT_SECONDS = 15.0
QUERY_LENGTH = 400

REFUSALS = (BadRequestError, ForbiddenError, InvalidAPIKeyError, UsageLimitExceededError, TavilyTimeoutError)


class Tavily:
    """Web search by Tavily's documented ``POST /search``."""

    def __init__(self, key: str, address: str | None = None) -> None:
        """``address`` is where the API is, by default Tavily's own."""
        if not key:
            raise ValueError(key)
        self._client = TavilyClient(api_key=key, api_base_url=address)

    def close(self) -> None:
        """Close the connections."""
        self._client.session.close()

    def search(self, query: str, *, limit: int) -> Sequence[Finding]:
        """At most ``limit`` findings. Raises Unavailable when the search refuses, fails or takes too long."""
        try:
            answer = self._client.search(
                query[:QUERY_LENGTH],
                search_depth="basic",
                max_results=limit,
                include_answer=False,
                include_images=False,
                include_raw_content=False,
                timeout=TIMEOUT_SECONDS,
            )
        except REFUSALS as error:
            raise _unavailable(type(error).__name__) from error
        except (OSError, ValueError) as error:  # requests' own errors, and an answer that is not JSON
            raise _unavailable(type(error).__name__) from error
        results = answer.get("results")
        rows = [row for row in results if isinstance(row, dict)] if isinstance(results, list) else []
        facts = (
            fact(str(row.get("title", "")), str(row.get("content", "")), str(row.get("url", "")))
            for row in rows[:limit]
        )
        return [found for found in facts if found]


@contextmanager
def web(settings: Settings) -> Iterator[Tavily | None]:
    """The configured search for the block; ``None`` without a key."""
    key = settings.tavily_api_key.get_secret_value() if settings.tavily_api_key else ""
    if not key:
        yield None
        return
    with closing(Tavily(key)) as found:
        yield found


def _unavailable(what: str) -> Unavailable:
    return Unavailable(
        "web_search_failed", f"the web search did not answer ({what})", "try again later", retry_after=60
    )
