"""What can be wrong with what the guide knows, as a sentence with a fix."""


class GuideError(Exception):
    """A file of topics that cannot be understood.

    Attributes:
        where: the file and the line: "guide.md line 12".
        problem: what is wrong there.
        fix: what to do about it.
    """

    def __init__(self, where: str, problem: str, fix: str) -> None:
        super().__init__(f"{where} {problem}: {fix}.")
        self.where = where
        self.problem = problem
        self.fix = fix
