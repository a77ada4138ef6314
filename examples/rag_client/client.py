"""Answers questions from a folder of Markdown files: finds sections, gives them to the model, streams what it says.

    python client.py --url "$URL" --key "$KEY" "How long do I have to return a lamp?"

The answer goes to standard output as it comes, then the sections that it was made from. The status is 0 if there is an
answer, 1 if no section has a word of the question (the model is then not asked), 2 if something is wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import openai
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from retriever import Bm25Retriever, numbered, read, where

INSTRUCTIONS = (
    "You answer questions of customers. Use the numbered sections alone, and name those that you use by their numbers,"
    " such as [1]. If they do not have the answer, say that you do not know."
)
PROMPT = ChatPromptTemplate.from_messages([("system", INSTRUCTIONS), ("human", "{sections}\n\nQuestion: {question}")])


def answer(model: ChatOpenAI, retriever: Bm25Retriever, question: str) -> bool:
    """Stream the answer to a question, and name its sections; whether there are any."""
    sections = retriever.invoke(question)
    if not sections:
        sys.stderr.write(f"No section has a word of the question: {question}\n")
        return False
    prompt = {"sections": numbered(sections), "question": question}
    reason = None
    for chunk in (PROMPT | model).stream(prompt):
        sys.stdout.write(chunk.text)
        sys.stdout.flush()
        reason = chunk.response_metadata.get("finish_reason", reason)
    if reason == "length":
        sys.stdout.write(" … (cut off at --max-tokens)")
    sources = "".join(f"\n  [{number}] {where(section)}" for number, section in enumerate(sections, 1))
    sys.stdout.write(f"\n\nSources:{sources}\n")
    return True


def connect(url: str, key: str, name: str | None, max_tokens: int) -> ChatOpenAI:
    """A model of the front door: the given one, else the first that it lists.

    Raises:
        openai.OpenAIError: The front door does not answer, or refuses the key.
    """
    base_url = f"{url.rstrip('/')}/v1"
    if name is None:
        name = openai.OpenAI(base_url=base_url, api_key=key).models.list().data[0].id
    return ChatOpenAI(base_url=base_url, api_key=key, model=name, max_tokens=max_tokens, temperature=0)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description="Answer questions from a folder of Markdown files.")
    parser.add_argument("--url", default=os.environ.get("URL"), help="the front door's URL (default: $URL)")
    parser.add_argument("--key", default=os.environ.get("KEY"), help="an API key (default: $KEY)")
    parser.add_argument("--model", help="a model of the front door (default: the first that it lists)")
    parser.add_argument("--documents", type=Path, default=Path(__file__).with_name("documents"), metavar="FOLDER")
    parser.add_argument("--sections", type=int, default=4, help="the most sections in a prompt (default: 4)")
    parser.add_argument("--max-tokens", type=int, default=512, help="the longest answer (default: 512)")
    parser.add_argument("questions", nargs="+", metavar="QUESTION")
    given = parser.parse_args()
    for option in ("url", "key"):
        if not getattr(given, option):
            parser.error(f"--{option} is required, or the variable {option.upper()}")
    if given.sections < 1:
        parser.error(f"--sections {given.sections}: must be at least 1")
    return given


def main() -> int:
    """Answer, and return the exit status."""
    given = arguments()
    try:
        retriever = Bm25Retriever(documents=read(given.documents), k=given.sections)
        model = connect(given.url, given.key, given.model, given.max_tokens)
        answered = [answer(model, retriever, question) for question in given.questions]
    except openai.APIConnectionError as error:
        sys.stderr.write(f"\n{given.url} does not answer: {error.__cause__ or error}\n")
        return 2
    except (openai.OpenAIError, ValueError) as error:
        sys.stderr.write(f"\n{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0 if all(answered) else 1


if __name__ == "__main__":
    sys.exit(main())
