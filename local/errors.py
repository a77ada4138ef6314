"""What a user can mend, told without a traceback."""


class UserError(Exception):
    """Something that the person at the keyboard can change.

    Args:
        problem: What is wrong, with the value.
        fix: What to change.
    """

    def __init__(self, problem: str, fix: str) -> None:
        self.problem = problem
        self.fix = fix
        super().__init__(f"{problem}\n{fix}")
