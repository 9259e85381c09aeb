"""Parsing: wrong usage is refused in one line that names what may have been meant, and whose help tells more."""

import argparse
import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minicnn.cli.console import note, say

BAD_USAGE = 2


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that refuses in one line and never guesses abbreviated options."""

    def __init__(self, **options):
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        self.said_of_surplus: Callable[[argparse.Namespace, list[str]], str] = lambda known, rest: ""
        super().__init__(allow_abbrev=False, **options)

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[override]
        """Parse; each parser answers for its own words, so that the line points to the right help."""
        if args is not None:
            self._refuse_unknown_options(args)
        known, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(self.said_of_surplus(known, rest) or f"unexpected {rest[0]!r}")
        return known, rest

    def print_help(self, file=None) -> None:
        """To stdout as all results are, where argparse is silent of a full disk."""
        if file is None:
            say(self.format_help().rstrip("\n"))
        else:
            super().print_help(file)

    def error(self, message: str, of: str = ""):
        """Refuse; `of` is the command below this one whose help tells more."""
        note(f"error: {message} (see {' '.join(filter(None, (self.prog, of)))} --help)")
        self.exit(BAD_USAGE)

    def _refuse_unknown_options(self, words: Sequence[str]) -> None:
        """Before argparse complains of what is missing: a misspelt option is why it is missing."""
        for word in words:
            if word == "--" or (self._subparsers is not None and not word.startswith("-")):
                return  # the rest are names, or words for the parser of a command
            option = word.partition("=")[0]
            if _is_option(option) and option not in self._option_string_actions:
                known = {name.lstrip("-"): name for name in self._option_string_actions}
                meant = known.get(nearest(option.lstrip("-"), known))
                self.error(f"there is no option {option}{f', did you mean {meant}?' if meant else ''}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """In argparse's place: refuse what is none of an action's choices."""
        if action.choices is None or value in action.choices:
            return
        hint = _hint(str(value), map(str, action.choices)) or f": there are {', '.join(map(str, action.choices))}"
        if isinstance(action.choices, dict):  # the parsers of commands by name
            self.error(f"there is no {str(action.metavar).lower()} {value!r}{hint}", of=nearest(value, action.choices))
        raise argparse.ArgumentError(action, f"{value!r} is unknown{hint}")


def _is_option(word: str) -> bool:
    """Whether argparse would take a word for an option: not "-", not a negative number."""
    return word.startswith("-") and len(word) > 1 and not word[1].isdigit() and " " not in word


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like one, "" where none is."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1)), "")


def _hint(word: str, known: Iterable[str]) -> str:
    meant = nearest(word, known)
    return f", did you mean {meant}?" if meant else ""


def whole(low: int, high: int | None = None):
    """The type of an option that is a whole number from `low` on, up to `high` where there is one."""
    said = f"of at least {low}" if high is None else f"from {low} to {high:,}"

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"must be a whole number {said}; it is {text!r}")
        return value

    return parse


def within(interval: str):
    """The type of an option that is a number in an interval, written as in mathematics: "[0, 1)"."""
    from minicnn.arguments import number
    from minicnn.errors import ArgumentError

    def parse(text: str) -> float:
        try:
            return number("", "", float(text), interval)
        except (ValueError, ArgumentError):
            raise argparse.ArgumentTypeError(f"must be a number in {interval}; it is {text!r}") from None

    return parse


def folds(text: str) -> int:
    """The type of --folds."""
    if text == "0":
        return 0
    try:
        return whole(2)(text)
    except argparse.ArgumentTypeError:
        said = "must be 0 (no cross-validation) or a whole number of at least 2"
        raise argparse.ArgumentTypeError(f"{said}; it is {text!r}") from None
