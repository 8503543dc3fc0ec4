"""The two ways in which a reader can be told that something is wrong with what they gave."""


class DataError(Exception):
    """Data that cannot be trusted: says where, what was found, what is allowed, what to do."""


class UnknownReport(DataError):
    """A file whose columns are those of no report that is known, nor nearly so."""


class ParameterError(Exception):
    """A parameter, name or date that does not exist: says what was given and what is allowed."""
