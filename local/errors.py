"""Errors that the commands report without a traceback."""


class UserError(Exception):
    """An error that the user can fix.

    Args:
        problem: What is wrong, including the value.
        fix: What to change.
    """

    def __init__(self, problem: str, fix: str) -> None:
        self.problem = problem
        self.fix = fix
        super().__init__(f"{problem}\n{fix}")
