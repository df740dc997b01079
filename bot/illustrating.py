"""The digest's picture: drawn, and kept by Slack, before the message that shows it; or left out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import structlog
from slack_sdk.errors import SlackClientError

from bot.charts import week_picture
from bot.domain.digest import Digest
from bot.domain.digest_words import Picture
from bot.domain.history import ltv_histories, month_coins
from bot.services.questions import Questions
from bot.slack.outcomes import UNREACHABLE

WITHIN = timedelta(seconds=60)
"""So long a picture may take, its upload included; the figures do not wait for it any longer."""
_log = structlog.get_logger(__name__)

Upload = Callable[[bytes, str, str], str]
"""Has Slack keep a picture under a name with a title; the file's id."""


class Illustrating:
    """Draws the picture of a week; called by whoever posts its digest, never on the way of an answer."""

    def __init__(self, questions: Questions, upload: Upload, within: timedelta = WITHIN) -> None:
        self._questions = questions
        self._upload = upload
        self._within = within

    def __call__(self, digest: Digest) -> Picture | None:
        """The picture as Slack has it; None, and a line in the log, where that failed or took too long."""
        threads = ThreadPoolExecutor(1, thread_name_prefix="picture")
        try:
            return threads.submit(self._draw, digest).result(self._within.total_seconds())
        except (TimeoutError, SlackClientError, *UNREACHABLE) as error:
            _log.warning("digest_without_picture", week=digest.week.name, reason=type(error).__name__)
            return None
        except Exception:  # noqa: BLE001  # a bug of drawing must not keep the figures from being posted, week after week
            _log.exception("picture_failed", week=digest.week.name)
            return None
        finally:
            threads.shutdown(wait=False, cancel_futures=True)

    def _draw(self, digest: Digest) -> Picture:
        histories = ltv_histories(self._questions.history(digest.book.at))
        months = month_coins(digest.book)
        drawn = week_picture(histories, months, digest.book.treasury.zone)
        name = f"plimsoll-{digest.week.name}.png"
        title = f"LTVs of twelve weeks and coins by month, to {digest.week.name}"
        said = [*(one.words() for one in histories), *(one.words() for one in months[-2:])]
        return Picture(self._upload(drawn, name, title), " ".join(said))
