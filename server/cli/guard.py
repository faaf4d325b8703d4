"""What a command cannot do is said in words, with 2 for what was written wrongly and 1 for the rest; no traceback."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click
from flask.cli import with_appcontext

from server.problems import Problem
from server.store.failures import Database, Unavailable, is_not_migrated
from server.text import say

NOT_MIGRATED = "The database has not the tables of this version. Run `flask db upgrade` first."


def guard(command: click.Command) -> None:
    """Give a command, or all of a group, an application, and let it tell its failures in words."""
    if isinstance(command, click.Group):
        for each in command.commands.values():
            guard(each)
    if command.callback is not None:
        command.callback = with_appcontext(_told(command.callback))


def _told(callback: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(callback)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return callback(*args, **kwargs)
        except Problem as problem:
            locale = kwargs.get("locale") or "en"
            told = problem.body(locale)
            raise (
                wrong(problem, locale)
                if problem.status in (404, 422)
                else click.ClickException(f"{told['title']}. {told['detail']}")
            ) from problem
        except Database as error:
            if is_not_migrated(error):
                raise click.ClickException(NOT_MIGRATED) from error
            if isinstance(error, Unavailable):
                raise click.ClickException(f"The database does not answer: {error.orig}") from error
            raise
        except OSError as error:
            raise click.ClickException(f"{error.filename or 'A file'}: {error.strerror or error}") from error

    return run


def wrong(problem: Problem, locale: str, options: dict[str, str] | None = None) -> click.UsageError:
    """A problem as a mistake in the command's arguments; `options` name the option of a field."""
    named = [
        f"{(options or {}).get(error.field, error.field)}: "
        + say("problem", f"field.{error.code}", error.params, locale)
        for error in problem.errors
    ]
    told = problem.body(locale)
    return click.UsageError("; ".join(named) or f"{told['title']}. {told['detail']}")
