"""Dead letters: what could not be done, whole, and sending it again."""

from typing import Final

from starlette.responses import Response

from events.gateway.pages.job import answered, notice
from events.gateway.pages.source import LettersPage
from events.gateway.pages.visit import Visit
from events.gateway.problems import problem
from schemas.deadletter import Reason

PAGE_LETTERS: Final = 50
PATH: Final = "/ui/dead-letter"


async def show_all(visit: Visit) -> Response:
    """Letters, newest first, a page at a time."""
    task, reason = visit.asked("task")[:200], visit.asked("reason")
    known = not reason or reason in set(Reason)
    found = LettersPage((), None)
    if known:
        found = await visit.source.letters(
            task=task or None,
            reason=reason or None,
            limit=PAGE_LETTERS,
            cursor=visit.asked("cursor") or None,
        )
    return visit.page(
        "letters.html",
        status=200 if known else 422,
        found=found,
        task=task,
        reason=reason,
        reasons=list(Reason),
        errors={} if known else {"reason": "There is no such reason."},
        is_first=not visit.asked("cursor"),
    )


async def show(visit: Visit) -> Response:
    """One letter with its headers and payload."""
    letter_id = visit.named("id")
    letter = await visit.source.letter(letter_id)
    if letter is None:
        raise problem("unknown-dead-letter", f"There is no letter {letter_id!r}.")
    return visit.page("letter.html", letter=letter, line=letter.line, notice=await notice(visit))


async def redrive(visit: Visit) -> Response:
    """Run the letter's job again."""
    letter_id = visit.named("id")
    asked = visit.commands.redrive(visit.asking(), letter_id)
    return visit.go(PATH, id=letter_id, command=await answered(asked))
