"""Lists of the documents become lists of the site."""

from __future__ import annotations

from textwrap import dedent

from scripts.site.lists import with_lists


def test_a_list_right_after_a_paragraph_gets_an_empty_line() -> None:
    assert with_lists("Text:\n- one\n- two\n") == "Text:\n\n- one\n- two\n"
    assert with_lists("Text:\n1. one\n2. two\n") == "Text:\n\n1. one\n2. two\n"


def test_a_number_at_the_beginning_of_a_line_of_text_is_no_list() -> None:
    text = "The method that it does not allow gets\n405. It can read the header.\n"
    assert with_lists(text) == text


def test_what_belongs_to_an_item_is_indented_by_four() -> None:
    text = """\
        - one
          goes on

          ```console
          $ ls
            file
          ```

          A paragraph.
        - two

        No item.
        """
    assert with_lists(dedent(text)) == dedent("""\
        - one
            goes on

            ```console
            $ ls
              file
            ```

            A paragraph.

        - two

        No item.
        """)


def test_code_stays_as_it_is() -> None:
    text = "Text:\n```\nout:\n- no item\n  more\n```\n"
    assert with_lists(text) == text
