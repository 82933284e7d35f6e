"""What can be wrong with the data of a dialect. A user never sees it: the tests load all data."""


class BadDialect(ValueError):
    """The data of a dialect contradicts itself or another's, or names what does not exist."""

    def __init__(self, dialect: str, problem: str) -> None:
        super().__init__(f"dialects/data/{dialect}.toml: {problem}")
        self.dialect, self.problem = dialect, problem
