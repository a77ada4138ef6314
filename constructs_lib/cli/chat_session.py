"""A chat on a terminal: what was said is remembered, and lines that begin with a slash are commands."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from constructs_lib.cli.chat import patiently
from constructs_lib.cli.chat_answer import Answer, show
from constructs_lib.cli.errors import nearest, report
from constructs_lib.cli.exit_status import ExitStatus
from constructs_lib.cli.formatting import printable
from constructs_lib.cli.front_door_errors import FrontDoorError

if TYPE_CHECKING:
    from constructs_lib.cli.front_door_client import FrontDoor
    from constructs_lib.cli.output import Output

_HELP = """/help                this list
/reset               forget what was said
/retry               ask the last question again
/model [NAME]        list the models, or change to another
/system [TEXT]       show the instructions, or change them
/max-tokens [N]      longest answer in tokens; without N the front door's
/temperature [T]     randomness from 0 to 2; without T the model's
/save FILE           write what was said: JSON if FILE ends with .json, else Markdown
/exit                end; so does Ctrl-D
Ctrl-C stops an answer and its connection. A line that ends with \\ goes on in the next one.
"""

_COMMANDS = tuple(line.split()[0] for line in _HELP.splitlines() if line.startswith("/"))


class Session:
    """A chat.

    Args:
        front_door: Whom to ask.
        options: What is asked for besides the messages.
        out: The terminal.
        wait: Seconds to wait for a model that wakes.
    """

    def __init__(self, front_door: FrontDoor, options: dict[str, Any], out: Output, *, wait: float) -> None:
        self._front_door, self._options, self._out, self._wait = front_door, dict(options), out, wait
        self._messages: list[dict[str, str]] = []
        self._system = ""
        self._models: list[str] = []

    def run(self, system: str | None) -> int:
        """Talk until Ctrl-D.

        Args:
            system: Instructions that come before what is said.

        Returns:
            The exit status.

        Raises:
            FrontDoorError: The front door cannot be asked for its models.
        """
        self._system = system or ""
        self._models = self._front_door.models()
        self._say(
            f"{self._front_door.url} · {self._options.get('model') or ', '.join(self._models)} · /help, Ctrl-D ends"
        )
        if len(self._models) > 1 and "model" not in self._options:
            self._say("It has several models: choose one with /model.")
        self._edit_lines()
        while (line := self._read()) is not None:
            if line.startswith("/"):
                if self._obey(line) is False:
                    break
            elif line:
                self._ask(line)
        return ExitStatus.FINE

    def _read(self) -> str | None:
        """The next line; None at the end. Ctrl-C drops what is typed."""
        lines: list[str] = []
        try:
            while True:
                lines.append(input("... " if lines else "> "))
                if not lines[-1].endswith("\\"):
                    # A pasted byte that is no text comes as a surrogate, which JSON cannot carry.
                    return "\n".join(lines).encode("utf-8", "replace").decode().strip()
                lines[-1] = lines[-1][:-1]
        except EOFError:
            self._out.write("\n")
            return None
        except KeyboardInterrupt:
            self._out.write("\n")
            return ""

    def _ask(self, question: str) -> None:
        self._messages.append({"role": "user", "content": question})
        answer = Answer()
        system = [{"role": "system", "content": self._system}] if self._system else []
        request = {**self._options, "messages": [*system, *self._messages]}
        parts = patiently(self._front_door, request, self._wait)
        try:
            show(parts, answer, self._out)
            self._say(answer.figures())
        except KeyboardInterrupt:
            self._say("stopped")
        except FrontDoorError as error:
            report(error.problems, self._out)
        finally:
            parts.close()
        if answer.text:
            self._messages.append({"role": "assistant", "content": answer.text})
        else:
            # A question without an answer would be asked again with the next one.
            self._messages.pop()

    def _obey(self, line: str) -> bool | None:
        """Carry out a command; False ends the session."""
        name, _, value = line.partition(" ")
        value = value.strip()
        match name:
            case "/help":
                self._out.write(_HELP)
            case "/exit" | "/quit":
                return False
            case "/reset":
                self._messages.clear()
                self._say("forgotten")
            case "/retry":
                self._retry()
            case "/model":
                self._choose_model(value)
            case "/system":
                self._system = value or self._system
                self._say(self._system or "no instructions")
            case "/max-tokens":
                self._set("max_tokens", value, int, lambda number: number >= 1, "an integer of at least 1")
            case "/temperature":
                self._set("temperature", value, float, lambda number: 0 <= number <= 2, "a number from 0 to 2")
            case "/save":
                self._save(value)
            case _:
                self._say(f"{name} is not known. {nearest(name, _COMMANDS, '/help lists the commands.')}")
        return None

    def _retry(self) -> None:
        last = max((at for at, each in enumerate(self._messages) if each["role"] == "user"), default=None)
        if last is None:
            self._say("nothing was asked")
            return
        question = self._messages[last]["content"]
        del self._messages[last:]
        self._ask(question)

    def _choose_model(self, name: str) -> None:
        if not name:
            current = self._options.get("model") or (self._models[0] if len(self._models) == 1 else None)
            for each in self._models:
                self._out.write(printable(f"{'*' if each == current else ' '} {each}\n"))
        elif name in self._models or ":" in name:
            self._options["model"] = name
            self._say(f"{name} answers from now on")
        else:
            self._say(f"{name} is none of its models. {nearest(name, self._models, '/model lists them.')}")

    def _set(self, option: str, value: str, kind: Any, is_valid: Any, words: str) -> None:
        if not value:
            self._options.pop(option, None)
            self._say("the front door decides")
            return
        with suppress(ValueError):
            number = kind(value)
            if is_valid(number):
                self._options[option] = number
                self._say(f"{option} = {number}")
                return
        self._say(f"{value} is not {words}.")

    def _save(self, name: str) -> None:
        if not name:
            self._say("Name a file: /save chat.md.")
            return
        path = Path(name).expanduser()
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(self._as_json() if path.suffix == ".json" else self._as_markdown())
        except FileExistsError:
            self._say(f"{name} exists. Name another file.")
        except (OSError, ValueError) as error:
            self._say(f"{name} cannot be written: {getattr(error, 'strerror', None) or error}.")
        else:
            self._say(f"saved in {name}")

    def _as_json(self) -> str:
        system = [{"role": "system", "content": self._system}] if self._system else []
        return (
            json.dumps({**self._options, "messages": [*system, *self._messages]}, indent=2, ensure_ascii=False) + "\n"
        )

    def _as_markdown(self) -> str:
        system = [f"*{self._system}*"] if self._system else []
        said = [
            f"**{each['content']}**" if each["role"] == "user" else each["content"].strip() for each in self._messages
        ]
        return "\n\n".join([*system, *said]) + "\n"

    def _say(self, text: str) -> None:
        self._out.print(Text(printable(text), "dim"))

    def _edit_lines(self) -> None:
        """Arrows, history and completion of commands; not on a Python that is built without readline."""
        with suppress(ModuleNotFoundError):
            import readline

            readline.set_completer_delims(" ")
            readline.set_completer(self._complete)
            readline.parse_and_bind("tab: complete")

    def _complete(self, text: str, state: int) -> str | None:
        import readline

        is_model = readline.get_line_buffer().startswith("/model ")
        found = [each for each in (self._models if is_model else _COMMANDS) if each.startswith(text)]
        return found[state] if text or is_model else None
