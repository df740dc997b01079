"""The digest's picture: drawn, and kept by Slack, before the message that shows it; or left out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from datetime import timedelta

import structlog

from bot.charts import week_picture
from bot.domain.digest import Digest
from bot.domain.digest_words import Picture
from bot.domain.history import ltv_histories, month_coins
from bot.services.questions import Questions
from bot.services.turns import PutOffError
from bot.slack.outcomes import UNREACHABLE

WITHIN = timedelta(seconds=60)
"""So long a picture may take, its upload included; the figures do not wait for it any longer."""
_log = structlog.get_logger(__name__)

Upload = Callable[[bytes, str, str], str]
"""Has Slack keep a picture under a name with a title; the file's id."""


class Illustrating:
    """Draws the picture of a week; called by whoever posts its digest, never on the way of an answer.

    The thread that draws and uploads holds up no end of the process: what it does is lost without harm.
    """

    def __init__(self, questions: Questions, upload: Upload, within: timedelta = WITHIN) -> None:
        self._questions = questions
        self._upload = upload
        self._within = within
        self._lock = threading.Lock()
        self._under_way: Future[Picture] | None = None
        self._stopping = False

    def __call__(self, digest: Digest) -> Picture | None:
        """The picture as Slack has it; None, and a line in the log, where that failed or took too long.

        PutOffError where the process is told to stop meanwhile.
        """
        try:
            return self._begun(digest).result(self._within.total_seconds())
        except CancelledError:
            raise PutOffError("told to stop") from None
        except UNREACHABLE as error:  # a time-out of ours too
            _log.warning("digest_without_picture", week=digest.week.name, reason=type(error).__name__)
            return None
        except Exception:  # noqa: BLE001  # a bug of drawing must not keep the figures from being posted, week after week
            _log.exception("picture_failed", week=digest.week.name)
            return None

    def stop(self) -> None:
        """Nobody waits for a picture any longer."""
        with self._lock:
            self._stopping = True
            if self._under_way is not None:
                self._under_way.cancel()

    def _begun(self, digest: Digest) -> Future[Picture]:
        with self._lock:
            drawing = self._under_way = Future[Picture]()
            if self._stopping:
                drawing.cancel()
        threading.Thread(target=self._draw_into, args=(drawing, digest), name="picture", daemon=True).start()
        return drawing

    def _draw_into(self, drawing: Future[Picture], digest: Digest) -> None:
        with suppress(InvalidStateError):  # nobody waits any longer
            try:
                drawing.set_result(self._draw(digest))
            except Exception as error:  # noqa: BLE001  # for who waits for the picture to sort
                drawing.set_exception(error)

    def _draw(self, digest: Digest) -> Picture:
        histories = ltv_histories(self._questions.history(digest.book.at))
        months = month_coins(digest.book)
        drawn = week_picture(histories, months, digest.book.treasury.zone)
        name = f"plimsoll-{digest.week.name}.png"
        title = f"LTVs of twelve weeks and coins by month, to {digest.week.name}"
        said = [*(one.words() for one in histories), *(one.words() for one in months[-2:])]
        return Picture(self._upload(drawn, name, title), " ".join(said))
