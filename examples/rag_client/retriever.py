"""Finds the sections of a folder of Markdown files that have the words of a question.

BM25 ranks words, not meanings: it needs no model for embeddings, which the front door does not have, and no database.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bm25s
import Stemmer
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_text_splitters import MarkdownHeaderTextSplitter, RecursiveCharacterTextSplitter
from pydantic import PrivateAttr

SECTION_CHARACTERS = 2_000
"""A longer section is cut at paragraphs, so that one of them does not fill the prompt."""
_HEADINGS = [("#", "page"), ("##", "section"), ("###", "part")]


class Bm25Retriever(BaseRetriever):
    """The sections that rank highest; none that has no word of the question.

    Args:
        documents: Sections, with what `where` needs as metadata.
        k: The largest number of sections that are found.
    """

    documents: list[Document]
    k: int = 4
    _index: bm25s.BM25 = PrivateAttr(default_factory=bm25s.BM25)
    _stemmer: Stemmer.Stemmer = PrivateAttr(default_factory=lambda: Stemmer.Stemmer("english"))

    def model_post_init(self, context: object, /) -> None:
        """Index the sections, with their headings."""
        super().model_post_init(context)
        # The headings of a section are a part of what it is about.
        texts = [f"{where(document)} {document.page_content}" for document in self.documents]
        self._index.index(self._tokens(texts), show_progress=False)

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        k = min(self.k, len(self.documents))
        found, scores = self._index.retrieve(self._tokens([query]), k=k, show_progress=False)
        return [self.documents[index] for index, score in zip(found[0], scores[0], strict=True) if score > 0]

    def _tokens(self, texts: list[str]) -> bm25s.tokenization.Tokenized:
        return bm25s.tokenize(texts, stopwords="en", stemmer=self._stemmer, show_progress=False)


def read(folder: Path) -> list[Document]:
    """The sections of all Markdown files in a folder, as long as they have text.

    Raises:
        ValueError: There are none.
    """
    headings = MarkdownHeaderTextSplitter(_HEADINGS)
    cutter = RecursiveCharacterTextSplitter(chunk_size=SECTION_CHARACTERS, chunk_overlap=0)
    sections: list[Document] = []
    for path in sorted(folder.rglob("*.md")):
        found = cutter.split_documents(headings.split_text(path.read_text(encoding="utf-8")))
        for section in found:
            section.metadata["file"] = path.relative_to(folder).as_posix()
        sections += found
    if not sections:
        raise ValueError(f"{folder} has no Markdown file with text")
    return sections


def where(document: Document) -> str:
    """The file and the headings of a section: "returns.md, Returns > Refunds"."""
    headings = [document.metadata[name] for _, name in _HEADINGS if name in document.metadata]
    return ", ".join(filter(None, [document.metadata["file"], " > ".join(headings)]))


def numbered(documents: Sequence[Document]) -> str:
    """The sections for the prompt, each with the number by which the answer names it."""
    return "\n\n".join(
        f"[{number}] {where(document)}\n{document.page_content}" for number, document in enumerate(documents, 1)
    )
