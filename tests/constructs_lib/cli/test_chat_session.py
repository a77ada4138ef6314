"""A chat on a terminal, typed into a pseudo terminal."""

import json

import pytest

from tests.constructs_lib.cli.fake_front_door import Reply, error, fake_front_door
from tests.constructs_lib.cli.terminal import CHAT, CTRL_C, CTRL_D, TAB, UP, Terminal

FIGURES = " tokens/s\n"


@pytest.fixture
def door():
    with fake_front_door() as found:
        found.replies = [Reply(parts=["Hello", 0.01, " world"])]
        yield found


@pytest.fixture
def chat(door):
    """A session that has asked for its first line."""
    with Terminal(*CHAT, "--url", door.url, "--api-key", "sk-1") as terminal:
        assert f"{door.url} · llama · /help, Ctrl-D ends\n" in terminal.read_until("> ")
        yield terminal


def said(door, at=-1):
    return [(each["role"][0], each["content"]) for each in door.requests[at]["messages"]]


def ask(chat, text):
    chat.type(f"{text}\r")
    return chat.read_until(FIGURES) + chat.read_until("> ")


def test_what_was_said_is_sent_again_until_it_is_reset(chat, door):
    shown = ask(chat, "Grüß dich 😀")
    assert "Hello world\n7 tokens · first after 0." in shown
    ask(chat, "And?")
    assert said(door) == [("u", "Grüß dich 😀"), ("a", "Hello world"), ("u", "And?")]
    chat.type("/reset\r")
    chat.read_until("forgotten\n> ")
    ask(chat, "Who?")
    assert said(door) == [("u", "Who?")]
    chat.type(CTRL_D)
    assert chat.end() == 0


def test_ctrl_c_stops_an_answer_and_its_connection_and_keeps_the_session(chat, door):
    door.replies = [Reply(parts=["Once upon", 60]), Reply()]
    chat.type("Tell me a story\r")
    chat.read_until("Once upon")
    chat.type(CTRL_C)
    chat.read_until("stopped\n> ")
    assert door.left.wait(10), "the connection is closed"
    ask(chat, "Go on")
    assert said(door) == [("u", "Tell me a story"), ("a", "Once upon"), ("u", "Go on")]


def test_ctrl_c_before_the_first_token_takes_the_question_back(chat, door):
    door.replies = [Reply(parts=[60]), Reply()]
    chat.type("Slow\r")
    chat.read_until("waiting")
    assert door.asked.wait(10)
    chat.type(CTRL_C)
    chat.read_until("stopped\n> ")
    assert door.left.wait(10)
    ask(chat, "Quick")
    assert said(door) == [("u", "Quick")]


def test_ctrl_c_drops_what_is_typed(chat, door):
    chat.type("half a quest" + CTRL_C)
    chat.read_until("\n> ")
    ask(chat, "Whole")
    assert said(door) == [("u", "Whole")]


def test_an_error_keeps_the_session_and_the_next_question_opens_a_connection(chat, door):
    door.replies = [Reply(parts=["Once", 0.1], end="reset"), error(429, "insufficient_quota", "Spent."), Reply()]
    chat.type("One\r")
    shown = chat.read_until("> ")
    assert "Once\nerror: the connection broke in the middle of the answer" in shown
    chat.type("Two\r")
    assert "error: Spent. Ask the owner of the front door for more" in chat.read_until("> ")
    ask(chat, "Three")
    assert said(door) == [("u", "One"), ("a", "Once"), ("u", "Three")]


def test_it_waits_for_a_model_that_wakes_and_says_so_until_ctrl_c(chat, door):
    door.replies = [error(503, "no_capacity", "One is starting.", retry_after="0"), Reply()]
    chat.type("Hi\r")
    chat.read_until("the model is waking up: One is starting; again in 0 seconds")
    chat.read_until("Hello world\n")
    door.replies = [error(503, "no_capacity", "One is starting.", retry_after="240")]
    chat.read_until("> ")
    chat.type("Hi\r")
    chat.read_until("again in 4 minutes")
    chat.type(CTRL_C)
    chat.read_until("stopped\n> ")


def test_the_last_question_is_asked_again_and_arrows_bring_it_back(chat, door):
    ask(chat, "One")
    chat.type("/retry\r")
    chat.read_until(FIGURES)
    assert said(door) == [("u", "One")]
    chat.type(f"{UP}{UP} more\r")
    chat.read_until(FIGURES)
    assert said(door)[-1] == ("u", "One more")


def test_a_line_may_go_on(chat, door):
    chat.type("One \\\r")
    chat.read_until("... ")
    chat.type("two\r")
    chat.read_until(FIGURES)
    assert said(door) == [("u", "One \ntwo")]


def test_commands_change_what_is_asked_for(chat, door):
    for line, answer in [
        ("/system Be brief.", "Be brief.\n"),
        ("/max-tokens 20", "max_tokens = 20\n"),
        ("/temperature 0.5", "temperature = 0.5\n"),
    ]:
        chat.type(f"{line}\r")
        chat.read_until(answer)
    ask(chat, "Hi")
    assert said(door) == [("s", "Be brief."), ("u", "Hi")]
    assert (door.requests[0]["max_tokens"], door.requests[0]["temperature"]) == (20, 0.5)
    for line, answer in [
        ("/max-tokens", "the front door decides\n"),
        ("/max-tokens 0", "0 is not an integer of at least 1.\n"),
        ("/temperature nan", "nan is not a number from 0 to 2.\n"),
        ("/rset", "/rset is not known. Did you mean /reset or /retry or /save?\n"),
        ("/help", "/save FILE "),
    ]:
        chat.type(f"{line}\r")
        chat.read_until(answer)
    ask(chat, "Hi")
    assert "max_tokens" not in door.requests[1]
    chat.type("/exit\r")
    assert chat.end() == 0


def test_a_model_is_chosen_of_several(door):
    door.models = ["llama", "falcon"]
    with Terminal(*CHAT, "--url", door.url, "--api-key", "sk-1") as chat:
        chat.read_until("It has several models: choose one with /model.\n> ")
        chat.type("/model falcn\r")
        chat.read_until("falcn is none of its models. Did you mean falcon?\n")
        chat.type(f"/mod{TAB} fal{TAB}\r")
        chat.read_until("falcon answers from now on\n")
        chat.type("/model\r")
        chat.read_until("  llama\n* falcon\n")
        ask(chat, "Hi")
    assert door.requests[0]["model"] == "falcon"


def test_what_was_said_is_saved_and_no_file_is_overwritten(chat, door, tmp_path):
    ask(chat, "Grüß dich")
    for name in ("chat.md", "chat.json"):
        chat.type(f"/save {tmp_path / name}\r")
        chat.read_until(f"saved in {tmp_path / name}\n")
    assert (tmp_path / "chat.md").read_text() == "**Grüß dich**\n\nHello world\n"
    assert json.loads((tmp_path / "chat.json").read_text())["messages"][0] == {"role": "user", "content": "Grüß dich"}
    chat.type(f"/save {tmp_path / 'chat.md'}\r")
    chat.read_until("exists. Name another file.\n")
    chat.type(f"/save {tmp_path / 'no' / 'chat.md'}\r")
    chat.read_until("cannot be written: No such file or directory.\n")


def test_thoughts_are_no_part_of_what_was_said(chat, door):
    door.replies = [Reply(parts=[{"reasoning": "Hm."}, 0.01, "Blue."])]
    assert "Hm.\n\nBlue.\n" in ask(chat, "Why?")
    ask(chat, "And?")
    assert said(door) == [("u", "Why?"), ("a", "Blue."), ("u", "And?")]


def test_a_wrong_key_ends_the_session_before_it_begins(door):
    with Terminal(*CHAT, "--url", f"{door.url}/nowhere", "--api-key", "sk-1") as chat:
        chat.read_until("error: There is no such route. Check the URL: ")
        assert chat.end() == 1
